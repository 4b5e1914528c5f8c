use proc_macro2::TokenStream as Tokens;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Ident, Type};

use crate::input::Input;

pub(crate) fn expand(input: &Input) -> Tokens {
    let parts = [delta(input), delta_traits(input), lattice(input), decompose(input), codec(input)];
    quote!(#(#parts)*)
}

/// The type of a field's delta.
fn delta_of(input: &Input, ty: &Type) -> Tokens {
    let krate = &input.krate;
    quote_spanned!(ty.span()=> <#ty as #krate::Lattice>::Delta)
}

/// `delta: bound` for each field's delta.
fn deltas_are(input: &Input, bound: &Tokens) -> Vec<Tokens> {
    let of = |ty| {
        let delta = delta_of(input, ty);
        quote!(#delta: #bound)
    };
    input.fields.iter().map(|field| of(&field.ty)).collect()
}

/// What every impl needs: that the fields are lattices, and that a delta of one can be empty.
fn lattices(input: &Input) -> Vec<Tokens> {
    let krate = &input.krate;
    let mut bounds = input.fields_are(&quote!(#krate::Lattice));
    bounds.extend(deltas_are(input, &quote!(::core::default::Default)));
    bounds
}

/// One piece of code for each field, which errors are told of at its type.
fn each(input: &Input, of: impl Fn(&Ident) -> Tokens) -> Vec<Tokens> {
    let of = |field: &crate::input::Field| {
        let part = of(&field.ident);
        quote_spanned!(field.ty.span()=> #part)
    };
    input.fields.iter().map(of).collect()
}

fn delta(input: &Input) -> Tokens {
    let Input { vis, ident, generics, .. } = input;
    let name = input.name_with("Delta");
    let clause = input.required(&lattices(input));
    let about =
        format!("A part of a [`{ident}`]: what a mutator returns, or several of those joined.");
    let fields = input.fields.iter().map(|field| {
        let (vis, name, ty) = (&field.vis, &field.ident, delta_of(input, &field.ty));
        let about = format!("What it tells of `{name}`.");
        quote!(#[doc = #about] #vis #name: #ty)
    });
    quote! {
        #[doc = #about]
        #[must_use = "a delta has to reach the other replicas"]
        #vis struct #name #generics #clause {
            #(#fields,)*
        }
    }
}

/// What is usually derived, as far as the fields' deltas have it.
fn delta_traits(input: &Input) -> Tokens {
    let ident = input.name_with("Delta");
    let name = ident.to_string();
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let implement = |bound: Tokens, body: Tokens| {
        let clause = input.optional(&lattices(input), &deltas_are(input, &bound));
        quote! {
            #[automatically_derived]
            impl #impl_generics #bound for #ident #ty_generics #clause {
                #body
            }
        }
    };
    let clone = each(input, |field| quote!(#field: ::core::clone::Clone::clone(&self.#field)));
    let default = each(input, |field| quote!(#field: ::core::default::Default::default()));
    let equal = each(input, |field| quote!(self.#field == other.#field));
    let hash = each(input, |field| quote!(::core::hash::Hash::hash(&self.#field, state);));
    let debug = each(input, |field| {
        let name = field.to_string();
        quote!(.field(#name, &self.#field))
    });
    [
        implement(
            quote!(::core::clone::Clone),
            quote!(fn clone(&self) -> Self { Self { #(#clone),* } }),
        ),
        implement(
            quote!(::core::default::Default),
            quote!(fn default() -> Self { Self { #(#default),* } }),
        ),
        implement(
            quote!(::core::cmp::PartialEq),
            quote!(fn eq(&self, other: &Self) -> bool { #(#equal)&&* }),
        ),
        implement(quote!(::core::cmp::Eq), quote!()),
        implement(
            quote!(::core::hash::Hash),
            quote!(fn hash<H: ::core::hash::Hasher>(&self, state: &mut H) { #(#hash)* }),
        ),
        implement(
            quote!(::core::fmt::Debug),
            quote! {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_struct(#name) #(#debug)* .finish()
                }
            },
        ),
    ]
    .into_iter()
    .collect()
}

fn lattice(input: &Input) -> Tokens {
    let Input { ident, krate, .. } = input;
    let delta = input.name_with("Delta");
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let clause = input.required(&lattices(input));
    let clones =
        input.optional(&lattices(input), &[quote!(#ident #ty_generics: ::core::clone::Clone)]);
    let join = each(
        input,
        |field| quote!(changed |= #krate::Lattice::join(&mut self.#field, other.#field);),
    );
    let from = each(input, |field| quote!(#field: ::core::convert::From::from(value.#field)));
    let implement = |name: &Ident| {
        quote! {
            #[automatically_derived]
            impl #impl_generics #krate::Lattice for #name #ty_generics #clause {
                type Delta = #delta #ty_generics;

                fn join(&mut self, other: impl ::core::convert::Into<Self::Delta>) -> bool {
                    let other = ::core::convert::Into::<Self::Delta>::into(other);
                    let mut changed = false;
                    #(#join)*
                    changed
                }
            }
        }
    };
    let (value, part) = (implement(ident), implement(&delta));
    quote! {
        #value
        #part

        #[automatically_derived]
        impl #impl_generics ::core::convert::From<#ident #ty_generics> for #delta #ty_generics #clause {
            fn from(value: #ident #ty_generics) -> Self {
                Self { #(#from),* }
            }
        }

        #[automatically_derived]
        impl #impl_generics ::core::convert::From<&#ident #ty_generics> for #delta #ty_generics
        #clones
        {
            fn from(value: &#ident #ty_generics) -> Self {
                ::core::convert::From::from(::core::clone::Clone::clone(value))
            }
        }
    }
}

fn decompose(input: &Input) -> Tokens {
    let Input { ident, krate, .. } = input;
    let delta = input.name_with("Delta");
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let path = quote!(#krate::lattice::Decompose);
    let mut bounds = input.fields_are(&path);
    bounds.extend(deltas_are(input, &quote!(::core::clone::Clone)));
    bounds.push(quote!(Self: ::core::clone::Clone));
    let clause = input.optional(&lattices(input), &bounds);
    let parts = each(input, |field| {
        quote! {
            for part in #path::decompose(&self.#field) {
                let mut alone = <#delta #ty_generics as ::core::default::Default>::default();
                alone.#field = part;
                parts.push(alone);
            }
        }
    });
    let differences =
        each(input, |field| quote!(#field: #path::difference(&self.#field, &other.#field)));
    quote! {
        #[automatically_derived]
        impl #impl_generics #path for #ident #ty_generics #clause {
            fn decompose(&self) -> #krate::lattice::Parts<Self> {
                let mut parts = #krate::lattice::Parts::<Self>::new();
                #(#parts)*
                parts
            }

            fn difference(&self, other: &Self) -> Self::Delta {
                #delta { #(#differences),* }
            }
        }
    }
}

fn codec(input: &Input) -> Tokens {
    let Input { ident, krate, .. } = input;
    let delta = input.name_with("Delta");
    let delta_types: Vec<_> = input.fields.iter().map(|field| delta_of(input, &field.ty)).collect();
    let types: Vec<_> = input.fields.iter().map(|field| &field.ty).map(|ty| quote!(#ty)).collect();
    let lattices = lattices(input);
    let value = codec_of(input, krate, ident, &types, &lattices);
    let delta = codec_of(input, krate, &delta, &delta_types, &lattices);
    quote!(#value #delta)
}

/// The codec of a struct that has the input's fields, of `types`.
fn codec_of(
    input: &Input,
    krate: &syn::Path,
    ident: &Ident,
    types: &[Tokens],
    lattices: &[Tokens],
) -> Tokens {
    let codec = quote!(#krate::codec);
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let bounds = |bound: Tokens| {
        let of = |ty| quote!(#ty: #bound + ::core::default::Default + ::core::cmp::PartialEq);
        let bounds: Vec<_> = types.iter().map(of).collect();
        input.optional(lattices, &bounds)
    };
    let (encode, decode) = (bounds(quote!(#codec::Encode)), bounds(quote!(#codec::Decode)));
    let names: Vec<_> = input.fields.iter().map(|field| &field.ident).collect();
    let numbers: Vec<_> = input.fields.iter().map(|field| field.number).collect();
    quote! {
        #[automatically_derived]
        impl #impl_generics #codec::Encode for #ident #ty_generics #encode {
            fn encode(&self, out: &mut #codec::Writer) {
                #(
                    if self.#names != <#types as ::core::default::Default>::default() {
                        out.field(#numbers);
                        #codec::Encode::encode(&self.#names, out);
                    }
                )*
                out.end_of_fields();
            }
        }

        #[automatically_derived]
        impl #impl_generics #codec::Decode for #ident #ty_generics #decode {
            const BYTES_MIN: usize = 1;

            fn decode(
                input: &mut #codec::Reader<'_>,
            ) -> ::core::result::Result<Self, #codec::DecodeError> {
                #(
                    let #names = input.field(
                        #numbers,
                        |field| *field == <#types as ::core::default::Default>::default(),
                        <#types as #codec::Decode>::decode,
                    )?;
                )*
                input.end_of_fields()?;
                ::core::result::Result::Ok(Self { #(#names),* })
            }
        }
    }
}
