use arbitrary::{Arbitrary, Result, Unstructured};

use super::{REPLICAS, STEPS_MAX};
use crate::{Text, TextDelta, VersionVector};

impl<'a> Arbitrary<'a> for Text {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut texts = [Self::new(), Self::new(), Self::new()];
        for _ in 0..STEPS_MAX {
            if u.is_empty() {
                break;
            }
            let at = u.choose_index(texts.len())?;
            if u.ratio(1_u8, 4_u8)? {
                let from = u.choose_index(texts.len())?;
                let news = texts[from].delta_since(texts[at].version()).expect("it was not loaded");
                texts[at].join(&news).expect("nothing is missing of what one has seen");
                continue;
            }
            let text = &mut texts[at];
            let mut writer = text.writer(REPLICAS[at]);
            let (len, place) = (text.len_chars(), u.arbitrary::<u32>()?);
            let changed = if u.ratio(3_u8, 4_u8)? {
                text.insert(place % (len + 1), u.arbitrary()?, &mut writer)
            } else {
                let from = place % (len + 1);
                let count = u.int_in_range(0..=len - from)?;
                text.delete(from, count, &mut writer)
            };
            drop(changed.expect("the place is in the text"));
        }
        let [first, ..] = texts;
        Ok(first)
    }
}

impl<'a> Arbitrary<'a> for TextDelta {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let text: Text = u.arbitrary()?;
        let known: VersionVector = u.arbitrary()?;
        Ok(text.delta_since(&known).expect("it was not loaded"))
    }
}
