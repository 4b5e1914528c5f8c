use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{GenericParam, Generics, WhereClause, parse_quote};

use crate::input::Input;

impl Input {
    fn has_type_parameters(&self) -> bool {
        self.generics.params.iter().any(|param| matches!(param, GenericParam::Type(_)))
    }

    /// A `where` clause for an impl that the fields' types have to allow. Where they depend on
    /// no parameter the compiler finds out by itself, and says at which field.
    pub(crate) fn required(&self, bounds: &[Tokens]) -> WhereClause {
        let mut generics = self.own_bounds();
        if self.has_type_parameters() {
            let clause = generics.make_where_clause();
            for bound in bounds {
                clause.predicates.push(parse_quote!(#bound));
            }
        }
        generics.where_clause.expect("it was made")
    }

    /// A `where` clause for an impl that is there if the fields' types allow it, and is else
    /// left out: beside what is `required`, they have to be what is `wanted`. The compiler takes
    /// a bound on a type without parameters for an error at once, if it does not hold, unless
    /// there is a `for` before it.
    pub(crate) fn optional(&self, required: &[Tokens], wanted: &[Tokens]) -> WhereClause {
        let mut clause = self.required(required);
        for bound in wanted {
            clause.predicates.push(parse_quote!(for<'__if> #bound));
        }
        clause
    }

    /// `ty: bound` for each field.
    pub(crate) fn fields_are(&self, bound: &Tokens) -> Vec<Tokens> {
        self.fields
            .iter()
            .map(|field| {
                let ty = &field.ty;
                quote!(#ty: #bound)
            })
            .collect()
    }

    fn own_bounds(&self) -> Generics {
        let mut generics = self.generics.clone();
        generics.make_where_clause();
        generics
    }
}
