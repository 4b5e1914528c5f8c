use proc_macro2::TokenStream as Tokens;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Visibility, parse_quote};

use crate::input::Input;

pub(crate) fn expand(input: &Input) -> Tokens {
    let parts =
        [store(input), split(input), codec(input), undo(input), arbitrary(input), edit(input)];
    quote!(#(#parts)*)
}

/// One statement or expression for each field, which errors are told of at its type.
fn each(input: &Input, of: impl Fn(&syn::Ident, &Tokens) -> Tokens) -> Vec<Tokens> {
    // The places of the n-th field stand behind those of the fields before it.
    let mut rest = quote!();
    let mut tokens = Vec::new();
    for field in &input.fields {
        let part = of(&field.ident, &rest);
        tokens.push(quote_spanned!(field.ty.span()=> #part));
        rest.extend(quote!(.rest()));
    }
    tokens
}

/// What every impl needs.
fn stores(input: &Input) -> Vec<Tokens> {
    let Input { ident, krate, generics, .. } = input;
    let (_, ty_generics, _) = generics.split_for_impl();
    let mut bounds = input.fields_are(&quote!(#krate::dot_store::DotStore));
    bounds.push(quote!(#ident #ty_generics: ::core::default::Default));
    bounds
}

fn store(input: &Input) -> Tokens {
    let Input { ident, krate, .. } = input;
    let path = quote!(#krate::dot_store);
    let clause = input.required(&stores(input));
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let places = input.fields.iter().rev().fold(quote!(#path::NoFields), |rest, field| {
        let (ty, number) = (&field.ty, field.number);
        let places = quote_spanned!(ty.span()=> <#ty as #path::DotStore>::Places);
        quote!(#path::FieldPlaces<#number, #places, #rest>)
    });
    let is_empty = each(input, |field, _| quote!(#path::DotStore::is_empty(&self.#field)));
    let for_each_dot =
        each(input, |field, _| quote!(#path::DotStore::for_each_dot(&self.#field, visit);));
    let for_each_redacted =
        each(input, |field, _| quote!(#path::DotStore::for_each_redacted(&self.#field, visit);));
    let redactable = input.fields.iter().map(|field| {
        let ty = &field.ty;
        quote!(<#ty as #path::DotStore>::REDACTABLE)
    });
    let retain = each(input, |field, _| quote!(#path::DotStore::retain(&mut self.#field, keep);));
    let join = each(
        input,
        |field, _| quote!(#path::DotStore::join(&mut self.#field, own, other.#field, others, report);),
    );
    let join_at = each(
        input,
        |field, rest| quote!(touched #rest .join(&mut self.#field, own, other.#field, others, report);),
    );
    let count_at = each(
        input,
        |field, rest| quote!(touched #rest .count(&self.#field, &other.#field, others)),
    );
    let check = each(input, |field, _| quote!(#path::DotStore::check_invariants(&self.#field);));
    quote! {
        #[automatically_derived]
        impl #impl_generics #path::DotStore for #ident #ty_generics #clause {
            type Places = #places;

            const REDACTABLE: bool = #(#redactable)||*;

            fn is_empty(&self) -> bool {
                #(#is_empty)&&*
            }

            fn for_each_dot(&self, visit: &mut dyn ::core::ops::FnMut(#krate::Dot)) {
                #(#for_each_dot)*
            }

            fn for_each_redacted(&self, visit: &mut dyn ::core::ops::FnMut(#krate::Dot)) {
                #(#for_each_redacted)*
            }

            fn retain(&mut self, keep: &mut dyn ::core::ops::FnMut(#krate::Dot) -> bool) {
                #(#retain)*
            }

            fn join(
                &mut self,
                own: &#krate::causality::CausalContext,
                other: Self,
                others: &#krate::causality::CausalContext,
                report: &mut dyn ::core::ops::FnMut(#path::DotChange),
            ) {
                #(#join)*
            }

            fn join_at(
                &mut self,
                own: &#krate::causality::CausalContext,
                other: Self,
                others: &#krate::causality::CausalContext,
                touched: &Self::Places,
                report: &mut dyn ::core::ops::FnMut(#path::DotChange),
            ) {
                #(#join_at)*
            }

            fn count_at(
                &self,
                other: &Self,
                others: &#krate::causality::CausalContext,
                touched: &Self::Places,
            ) -> u64 {
                #(#count_at)+*
            }

            fn check_invariants(&self) {
                #(#check)*
            }
        }
    }
}

fn split(input: &Input) -> Tokens {
    let Input { ident, krate, .. } = input;
    let path = quote!(#krate::dot_store);
    let clause = input.optional(&stores(input), &input.fields_are(&quote!(#path::Split)));
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let fields = each(input, |field, _| {
        quote! {
            #path::Split::split(self.#field, &mut |dot, store| {
                let mut alone = <Self as ::core::default::Default>::default();
                alone.#field = store;
                visit(dot, alone);
            });
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #path::Split for #ident #ty_generics #clause {
            fn split(self, visit: &mut dyn ::core::ops::FnMut(#krate::Dot, Self)) {
                #(#fields)*
            }
        }
    }
}

fn codec(input: &Input) -> Tokens {
    let Input { ident, krate, fields, .. } = input;
    let (path, codec) = (quote!(#krate::dot_store), quote!(#krate::codec));
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let names: Vec<_> = fields.iter().map(|field| &field.ident).collect();
    let numbers: Vec<_> = fields.iter().map(|field| field.number).collect();
    let bounds = |bound| input.optional(&stores(input), &input.fields_are(&bound));
    let encode = bounds(quote!(#path::EncodeStore));
    let decode = bounds(quote!(#path::DecodeStore));
    quote! {
        #[automatically_derived]
        impl #impl_generics #path::EncodeStore for #ident #ty_generics #encode {
            fn encode_store(
                &self,
                near: ::core::option::Option<&Self>,
                out: &mut #path::StoreWriter,
            ) {
                #(out.field(#numbers, &self.#names, near.map(|near| &near.#names));)*
                out.body().end_of_fields();
            }
        }

        #[automatically_derived]
        impl #impl_generics #path::DecodeStore for #ident #ty_generics #decode {
            const STORE_BYTES_MIN: usize = 2;

            fn decode_store(
                near: ::core::option::Option<&Self>,
                input: &mut #path::StoreReader<'_>,
            ) -> ::core::result::Result<Self, #codec::DecodeError> {
                #(let #names = input.field(#numbers, near.map(|near| &near.#names))?;)*
                input.body().end_of_fields()?;
                ::core::result::Result::Ok(Self { #(#names),* })
            }
        }
    }
}

fn undo(input: &Input) -> Tokens {
    let Input { ident, krate, .. } = input;
    let path = quote!(#krate::dot_store);
    let mut wanted = input.fields_are(&quote!(#path::UndoStore));
    wanted.push(quote!(Self: ::core::clone::Clone));
    let clause = input.optional(&stores(input), &wanted);
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let taken = each(
        input,
        |field, _| quote!(#field: #path::UndoStore::taken(&self.#field, &delta.#field, gone)),
    );
    let taken_by = each(
        input,
        |field, rest| quote!(#field: places #rest .taken_by(&self.#field, &delta.#field, gone)),
    );
    let undo = each_open(input, |field, open| {
        quote! {
            if !#path::DotStore::is_empty(&put.#field) || !#path::DotStore::is_empty(&taken.#field) {
                #path::UndoStore::undo(&mut #open, &put.#field, &taken.#field);
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #path::UndoStore for #ident #ty_generics #clause {
            fn taken(&self, delta: &Self, gone: &#krate::causality::DotCloud) -> Self {
                Self { #(#taken),* }
            }

            fn taken_by(
                &self,
                delta: &Self,
                places: &Self::Places,
                gone: &#krate::causality::DotCloud,
            ) -> Self {
                Self { #(#taken_by),* }
            }

            fn undo(edit: &mut #path::Edit<'_, Self>, put: &Self, taken: &Self) {
                #(#undo)*
            }
        }
    }
}

fn arbitrary(input: &Input) -> Tokens {
    let Input { ident, krate, generics, .. } = input;
    let path = quote!(#krate::dot_store);
    let mut wanted = input.fields_are(&quote!(#krate::ArbitraryStore<'__bytes>));
    wanted.push(quote!(Self: ::core::clone::Clone));
    let clause = input.optional(&stores(input), &wanted);
    let (_, ty_generics, _) = generics.split_for_impl();
    let mut with_bytes = generics.clone();
    with_bytes.params.insert(0, parse_quote!('__bytes));
    let (impl_generics, ..) = with_bytes.split_for_impl();
    let mut index = 0_usize;
    let arms: Vec<_> =
        each_open(input, |_, open| quote!(#krate::ArbitraryStore::change(&mut #open, u)))
            .into_iter()
            .map(|change| {
                index += 1;
                quote!(#index => #change,)
            })
            .collect();
    quote! {
        #krate::if_arbitrary! {
            #[automatically_derived]
            impl #impl_generics #krate::ArbitraryStore<'__bytes> for #ident #ty_generics #clause {
                fn change(
                    edit: &mut #path::Edit<'_, Self>,
                    u: &mut #krate::arbitrary::Unstructured<'__bytes>,
                ) -> #krate::arbitrary::Result<()> {
                    match u.int_in_range(1..=#index)? {
                        #(#arms)*
                        _ => ::core::result::Result::Ok(()),
                    }
                }
            }
        }
    }
}

/// One piece of code for each field, with the expression that opens it in `edit`.
fn each_open(input: &Input, of: impl Fn(&syn::Ident, &Tokens) -> Tokens) -> Vec<Tokens> {
    let mut rest = quote!();
    let mut tokens = Vec::new();
    for field in &input.fields {
        let name = &field.ident;
        let open = quote!(edit.field(|store| &mut store.#name, |places| places #rest .open()));
        let part = of(name, &open);
        tokens.push(quote_spanned!(field.ty.span()=> #part));
        rest.extend(quote!(.rest_mut()));
    }
    tokens
}

/// The trait by which the fields of a store that is open are opened.
fn edit(input: &Input) -> Tokens {
    let Input { ident, krate, generics, fields, .. } = input;
    let path = quote!(#krate::dot_store);
    let name = input.name_with("Edit");
    let vis = narrowest(input);
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let about = format!("Opens the fields of a [`{ident}`] that is open for changes.");
    let signatures: Vec<_> = fields
        .iter()
        .map(|field| {
            let (name, ty, docs) = (&field.ident, &field.ty, &field.docs);
            let about = format!("Opens `{name}` for changes.");
            let blank = (!docs.is_empty()).then(|| quote!(#[doc = ""]));
            let about = quote!(#[doc = #about] #blank #(#docs)*);
            (about, quote_spanned!(ty.span()=> fn #name(&mut self) -> #path::Edit<'_, #ty>))
        })
        .collect();
    let declared = signatures.iter().map(|(about, signature)| quote!(#about #signature;));
    let clause = input.required(&stores(input));
    let opened = each_open(input, |_, open| open.clone());
    let bodies = signatures
        .iter()
        .zip(opened)
        .map(|((_, signature), open)| quote!(#signature { let edit = self; #open }));
    quote! {
        #[doc = #about]
        #[allow(dead_code)]
        #vis trait #name #impl_generics #clause {
            #(#declared)*
        }

        #[automatically_derived]
        impl #impl_generics #name #ty_generics for #path::Edit<'_, #ident #ty_generics> #clause {
            #(#bodies)*
        }
    }
}

/// The visibility of the field that the fewest see, or of the struct if that is narrower.
fn narrowest(input: &Input) -> Visibility {
    let rank = |vis: &Visibility| match vis {
        Visibility::Inherited => 0,
        Visibility::Restricted(restricted) if restricted.path.is_ident("self") => 1,
        Visibility::Restricted(restricted) if restricted.path.is_ident("crate") => 3,
        Visibility::Restricted(_) => 2,
        Visibility::Public(_) => 4,
    };
    let all = input.fields.iter().map(|field| &field.vis).chain([&input.vis]);
    all.min_by_key(|vis| rank(vis)).cloned().unwrap_or_else(|| parse_quote!(pub))
}
