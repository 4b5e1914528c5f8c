use proc_macro2::Span;
use quote::format_ident;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, Generics, Ident, LitInt, Path, Result, Type,
    Visibility, parse_quote,
};

/// A struct of named fields.
pub(crate) struct Input {
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The crate that the generated code speaks of.
    pub(crate) krate: Path,
    /// In ascending order of their numbers. There is at least one.
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    pub(crate) docs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// What the field is called in bytes.
    pub(crate) number: u32,
}

/// Methods that an open store has already, which those of the fields would not be seen behind.
const TAKEN: &[&str] = &["get", "field"];

impl Input {
    pub(crate) fn read(input: &DeriveInput) -> Result<Self> {
        let fields = match &input.data {
            Data::Struct(data) => match &data.fields {
                Fields::Named(fields) if !fields.named.is_empty() => &fields.named,
                Fields::Unnamed(fields) => {
                    return Err(Error::new(
                        fields.span(),
                        "fields need names, by which they are changed",
                    ));
                }
                _ => {
                    return Err(Error::new(
                        input.ident.span(),
                        "a struct without fields holds nothing",
                    ));
                }
            },
            Data::Enum(data) => {
                let what = "an enum cannot be derived: replicas that chose different variants \
                            concurrently would have nothing to join; use a register of the enum";
                return Err(Error::new(data.enum_token.span, what));
            }
            Data::Union(data) => {
                return Err(Error::new(data.union_token.span, "a union cannot be derived"));
            }
        };
        let mut read: Vec<Field> = Vec::new();
        let mut last = 0;
        for field in fields {
            let ident = field.ident.clone().expect("named fields have names");
            let number = match given_number(&field.attrs)? {
                Some((number, span)) => {
                    if let Some(other) = read.iter().find(|other| other.number == number) {
                        let what = format!("the number {number} is that of `{}`", other.ident);
                        return Err(Error::new(span, what));
                    }
                    number
                }
                None => following(last, &read, ident.span())?,
            };
            last = number;
            if TAKEN.iter().any(|taken| ident == taken) {
                let what =
                    format!("`{ident}` is taken: a store that is open has a method of that name");
                return Err(Error::new(ident.span(), what));
            }
            let docs = field.attrs.iter().filter(|attr| attr.path().is_ident("doc"));
            read.push(Field {
                docs: docs.cloned().collect(),
                vis: field.vis.clone(),
                ident,
                ty: field.ty.clone(),
                number,
            });
        }
        read.sort_by_key(|field| field.number);
        Ok(Self {
            vis: input.vis.clone(),
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            krate: given_crate(&input.attrs)?.unwrap_or_else(|| parse_quote!(::crdt_core)),
            fields: read,
        })
    }

    /// The struct's name with something behind it.
    pub(crate) fn name_with(&self, suffix: &str) -> Ident {
        format_ident!("{}{suffix}", self.ident.unraw(), span = self.ident.span())
    }
}

/// The number of a field that is given none: the one behind the field before it.
fn following(last: u32, taken: &[Field], span: Span) -> Result<u32> {
    let Some(number) = last.checked_add(1) else {
        return Err(Error::new(span, format!("numbers end at {last}")));
    };
    match taken.iter().find(|other| other.number == number) {
        None => Ok(number),
        Some(other) => {
            let what = format!(
                "the number {number} is that of `{}`; give this field another",
                other.ident
            );
            Err(Error::new(span, what))
        }
    }
}

/// `#[crdt(number = 7)]`, and where it says so.
fn given_number(attrs: &[Attribute]) -> Result<Option<(u32, Span)>> {
    let mut given = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("crdt")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("number") {
                return Err(meta.error("expected `number = …`"));
            }
            let literal: LitInt = meta.value()?.parse()?;
            let number = literal.base10_parse()?;
            if number == 0 {
                return Err(Error::new(literal.span(), "numbers begin at 1"));
            }
            given = Some((number, literal.span()));
            Ok(())
        })?;
    }
    Ok(given)
}

/// `#[crdt(crate = path)]`.
fn given_crate(attrs: &[Attribute]) -> Result<Option<Path>> {
    let mut given = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("crdt")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("expected `crate = …`"));
            }
            given = Some(meta.value()?.call(Path::parse_mod_style)?);
            Ok(())
        })?;
    }
    Ok(given)
}
