//! The derive macros of `crdt-core`, which exports them under its feature `derive` and says
//! there what they make.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod bounds;
mod input;
mod lattice;
mod replicated;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;

use input::Input;

/// Makes a store of a struct whose fields are stores: one causal context for all of them.
///
/// What it makes and what the attribute says is described in `crdt_core::dot_store`.
#[proc_macro_derive(Replicated, attributes(crdt))]
pub fn replicated(input: TokenStream) -> TokenStream {
    derive(input.into(), replicated::expand).into()
}

/// Makes a lattice of a struct whose fields are lattices: their product.
///
/// What it makes and what the attribute says is described in `crdt_core::lattice`.
#[proc_macro_derive(Lattice, attributes(crdt))]
pub fn lattice(input: TokenStream) -> TokenStream {
    derive(input.into(), lattice::expand).into()
}

fn derive(input: Tokens, expand: impl FnOnce(&Input) -> Tokens) -> Tokens {
    match syn::parse2(input).and_then(|input| Input::read(&input)) {
        Ok(input) => expand(&input),
        Err(error) => error.into_compile_error(),
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    /// What the compiler is told about an input that makes no sense.
    fn refused(input: Tokens) -> String {
        derive(input, |_| panic!("it is accepted")).to_string()
    }

    #[test]
    fn what_is_no_struct_of_named_fields_is_refused_in_words() {
        for (input, words) in [
            (quote! { enum Either { A(Text), B } }, "an enum cannot be derived"),
            (quote! { union Both { a: u8, b: u8 } }, "a union cannot be derived"),
            (quote! { struct Nothing; }, "a struct without fields"),
            (quote! { struct Nothing {} }, "a struct without fields"),
            (quote! { struct Pair(Tags, Views); }, "fields need names"),
            (quote! { struct Shadowed { get: Tags } }, "`get` is taken"),
        ] {
            let told = refused(input);
            assert!(told.contains("compile_error") && told.contains(words), "{told}");
        }
    }

    #[test]
    fn wrong_attributes_are_refused_in_words() {
        for (input, words) in [
            (quote! { struct A { #[crdt(number = 0)] a: Tags } }, "numbers begin at 1"),
            (quote! { struct A { #[crdt(numbre = 1)] a: Tags } }, "expected `number = …`"),
            (quote! { struct A { #[crdt(number = "1")] a: Tags } }, "expected integer literal"),
            (
                quote! { struct A { #[crdt(number = 2)] a: Tags, #[crdt(number = 2)] b: Tags } },
                "the number 2 is that of `a`",
            ),
            (
                quote! { struct A { #[crdt(number = 4294967295)] a: Tags, b: Tags } },
                "numbers end at 4294967295",
            ),
            (quote! { #[crdt(krate = a)] struct A { a: Tags } }, "expected `crate = …`"),
        ] {
            let told = refused(input);
            assert!(told.contains("compile_error") && told.contains(words), "{told}");
        }
    }

    #[test]
    fn numbers_go_on_from_those_that_are_given() {
        let input = quote! {
            #[crdt(crate = elsewhere::core)]
            struct A { a: Tags, #[crdt(number = 7)] b: Tags, c: Tags, #[crdt(number = 3)] d: Tags }
        };
        let input = Input::read(&syn::parse2(input).unwrap()).unwrap();
        let numbers: Vec<_> =
            input.fields.iter().map(|field| (field.ident.to_string(), field.number)).collect();
        let expected = [("a", 1), ("d", 3), ("b", 7), ("c", 8)];
        assert_eq!(numbers, expected.map(|(name, number)| (name.to_owned(), number)));
        let krate = &input.krate;
        assert_eq!(quote!(#krate).to_string(), "elsewhere :: core");
    }
}
