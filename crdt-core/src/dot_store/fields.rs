use super::{DecodeStore, DotChange, DotStore, EncodeStore, Places, StoreReader, StoreWriter};
use crate::causality::CausalContext;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Writer};

/// Places in a store that is a struct of stores: for each field, in ascending order of the
/// fields' numbers, the places in it. `R` is the fields behind this one.
///
/// `#[derive(Replicated)]` makes it; [`DotStore::Places`] of a struct of two fields is
/// `FieldPlaces<1, A::Places, FieldPlaces<2, B::Places, NoFields>>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldPlaces<const NUMBER: u32, P, R> {
    // As at a root: no place means nowhere.
    places: P,
    // For a field that is not divided by keys, of which `places` cannot tell; else false.
    is_touched: bool,
    rest: R,
}

/// The places behind those of the last field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NoFields;

impl<const NUMBER: u32, P: Places, R> FieldPlaces<NUMBER, P, R> {
    /// The places in the fields behind this one.
    pub const fn rest(&self) -> &R {
        &self.rest
    }

    /// The places in the fields behind this one.
    pub const fn rest_mut(&mut self) -> &mut R {
        &mut self.rest
    }

    /// The places in this field, which is open for changes from now on.
    pub const fn open(&mut self) -> &mut P {
        self.is_touched = !P::DIVIDED;
        &mut self.places
    }

    /// Joins the field, unless the delta tells nothing of it.
    pub fn join<S: DotStore<Places = P>>(
        &self,
        store: &mut S,
        own: &CausalContext,
        other: S,
        others: &CausalContext,
        report: &mut dyn FnMut(DotChange),
    ) {
        if !other.is_empty() || self.is_told() {
            store.join_at(own, other, others, &self.places, report);
        }
    }

    /// How many dots the field may lose by [`join`](Self::join).
    pub fn count<S: DotStore<Places = P>>(
        &self,
        store: &S,
        other: &S,
        others: &CausalContext,
    ) -> u64 {
        if !other.is_empty() || self.is_told() {
            store.count_at(other, others, &self.places)
        } else {
            0
        }
    }

    /// The places, if they are told of where there are any.
    #[cfg(feature = "serde")]
    pub(crate) fn of_parts(is_told: bool, places: P, rest: R) -> Option<Self> {
        let read = Self { places, is_touched: is_told && !P::DIVIDED, rest };
        (read.is_told() == is_told).then_some(read)
    }

    /// The places in this field.
    pub(crate) const fn places(&self) -> &P {
        &self.places
    }

    pub(crate) fn is_told(&self) -> bool {
        if P::DIVIDED { !self.places.is_whole() } else { self.is_touched }
    }
}

impl<const NUMBER: u32, P: Places, R: Places> Places for FieldPlaces<NUMBER, P, R> {
    const DIVIDED: bool = true;

    fn is_whole(&self) -> bool {
        !self.is_told() && self.rest.is_whole()
    }

    fn extend(&mut self, other: Self) -> bool {
        let mut changed = other.is_touched && !self.is_touched;
        self.is_touched |= other.is_touched;
        changed |= self.places.extend(other.places);
        changed |= self.rest.extend(other.rest);
        changed
    }
}

impl Places for NoFields {
    const DIVIDED: bool = true;

    fn is_whole(&self) -> bool {
        true
    }

    fn extend(&mut self, Self: Self) -> bool {
        false
    }
}

impl<const NUMBER: u32, P: Places + Encode, R: Encode> Encode for FieldPlaces<NUMBER, P, R> {
    /// The places in this field if there are any, then those in the fields behind it.
    fn encode(&self, out: &mut Writer) {
        if self.is_told() {
            out.field(NUMBER);
            self.places.encode(out);
        }
        self.rest.encode(out);
    }
}

impl<const NUMBER: u32, P: Places + Decode, R: Decode + Default> Decode
    for FieldPlaces<NUMBER, P, R>
{
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.position();
        let mut read = Self { places: P::default(), is_touched: false, rest: R::default() };
        if input.has_field(NUMBER)? {
            *read.open() = P::decode(input)?;
            if !read.is_told() {
                return Err(DecodeErrorKind::NotCanonical.at(at));
            }
        }
        read.rest = R::decode(input)?;
        Ok(read)
    }
}

impl Encode for NoFields {
    fn encode(&self, out: &mut Writer) {
        out.end_of_fields();
    }
}

impl Decode for NoFields {
    const BYTES_MIN: usize = 1;

    fn decode(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        input.end_of_fields()?;
        Ok(Self)
    }
}

/// Fields of a struct of stores, in ascending order of their numbers, then
/// [`end_of_fields`](Writer::end_of_fields) in the [`body`](StoreWriter::body).
impl StoreWriter {
    /// A field, unless it is empty; `near` is that field of the struct before.
    pub fn field<S: DotStore + EncodeStore>(&mut self, number: u32, store: &S, near: Option<&S>) {
        if !store.is_empty() {
            self.body().field(number);
            store.encode_store(near, self);
        }
    }
}

impl StoreReader<'_> {
    /// A field, which is empty if it was left out.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the bytes; an empty field that is there.
    pub fn field<S: DotStore + DecodeStore>(
        &mut self,
        number: u32,
        near: Option<&S>,
    ) -> Result<S, DecodeError> {
        let at = self.body().position();
        if !self.body().has_field(number)? {
            return Ok(S::default());
        }
        let store = S::decode_store(near, self)?;
        if store.is_empty() { Err(DecodeErrorKind::NotCanonical.at(at)) } else { Ok(store) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dot_store::Touched;

    type Two = FieldPlaces<1, Touched<u8, ()>, FieldPlaces<2, (), NoFields>>;

    /// No place at all means everywhere, below a key.
    #[test]
    fn a_place_in_any_field_is_not_everywhere() {
        assert!(().is_whole() && NoFields.is_whole() && Two::default().is_whole());
        let mut places = Touched::<u8, ()>::default();
        places.keys.many().insert(7, ());
        let first = Two { places, ..Two::default() };
        assert!(!first.is_whole() && first.is_told() && !first.rest().is_told());
        let mut second = Two::default();
        second.rest_mut().is_touched = true;
        assert!(!second.is_whole() && !second.is_told() && second.rest().is_told());
        let mut both = first.clone();
        assert!(both.extend(second.clone()) && !both.extend(second) && !both.extend(first));
        assert!(both.is_told() && both.rest().is_told());
    }
}
