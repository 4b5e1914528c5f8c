//! Many mutants in one text: each function becomes a choice between what it was and each of
//! its mutants, by a number that the tests are given. So all of them are compiled once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use proc_macro2::{LineColumn, Span as TokenSpan};
use syn::spanned::Spanned as _;
use syn::{Block, ImplItem, Item, ReturnType, Signature, TraitItem, Type};

use super::list::{Mutant, Place};

/// What constant functions need, to be a choice. It stands before the crate's root, in its first line, so
/// that no other line moves.
pub(super) const FEATURES: &str = "#![feature(core_intrinsics, const_eval_select)]";

/// What is asked which mutant is alive: none, where something is evaluated when compiling. It
/// stands at the end of the crate's root.
pub(super) const CHOICE: &str = r#"
mod mutant {
    extern crate std;

    static ALIVE: std::sync::OnceLock<u32> = std::sync::OnceLock::new();

    pub(crate) const fn alive() -> u32 {
        ::core::intrinsics::const_eval_select((), none, given)
    }

    const fn none() -> u32 {
        0
    }

    fn given() -> u32 {
        let given = || std::env::var("MUTANT").ok()?.parse().ok();
        *ALIVE.get_or_init(|| given().unwrap_or(0))
    }
}
"#;

/// A file with its mutants in it.
#[derive(Debug, Default)]
pub(super) struct Woven {
    pub(super) text: String,
    /// The lines, counted from 1, in which each mutant stands.
    pub(super) lines: BTreeMap<u32, Range<usize>>,
}

/// A function that no other is around.
struct Function {
    /// From its opening brace to behind the closing one, in bytes.
    body: Range<usize>,
    /// Whether it can be a choice: several bodies have no type in common that has no name.
    can_choose: bool,
    is_constant: bool,
}

/// Whether a mutant stands in a function that can be a choice.
pub(super) fn is_choosable(source: &str, mutant: &Mutant) -> syn::Result<bool> {
    let functions = functions(source)?;
    Ok(of(&functions, source, mutant).is_some_and(|at| functions[at].can_choose))
}

/// Whether the compiler may be the one that evaluates a mutant, where it is never alive.
pub(super) fn is_constant(source: &str, mutant: &Mutant) -> syn::Result<bool> {
    let functions = functions(source)?;
    Ok(of(&functions, source, mutant).is_some_and(|at| functions[at].is_constant))
}

/// Puts the mutants into the file; each has to stand in a function that can be a choice.
pub(super) fn weave(source: &str, mutants: &[(u32, &Mutant)]) -> syn::Result<Woven> {
    let functions = functions(source)?;
    let mut chosen: BTreeMap<usize, Vec<(u32, &Mutant)>> = BTreeMap::new();
    for &(number, mutant) in mutants {
        let at =
            of(&functions, source, mutant).expect("a mutant that can be chosen has a function");
        chosen.entry(at).or_default().push((number, mutant));
    }
    let (mut woven, mut copied) = (Woven::default(), 0);
    for (at, mutants) in chosen {
        let body = functions[at].body.clone();
        woven.text.push_str(&source[copied..body.start]);
        copied = body.end;
        let numbers: Vec<String> = mutants.iter().map(|(number, _)| number.to_string()).collect();
        let original = &source[body.clone()];
        let numbers = numbers.join(" | ");
        write!(
            woven.text,
            "{{ match crate::mutant::alive() {{\nn if !matches!(n, {numbers}) => {original}"
        )
        .expect("a text can be written to");
        for (number, mutant) in mutants {
            let place = bytes(source, mutant);
            let (before, behind) = (&source[body.start..place.start], &source[place.end..body.end]);
            let first = line_of(&woven.text) + 1;
            write!(woven.text, "\n{number} => {before}{}{behind}", mutant.replacement)
                .expect("a text can be written to");
            woven.lines.insert(number, first..line_of(&woven.text) + 1);
        }
        woven.text.push_str("\n_ => ::core::unreachable!(),\n} }");
    }
    woven.text.push_str(&source[copied..]);
    Ok(woven)
}

fn line_of(text: &str) -> usize {
    1 + text.bytes().filter(|&byte| byte == b'\n').count()
}

/// The function around a mutant.
fn of(functions: &[Function], source: &str, mutant: &Mutant) -> Option<usize> {
    let place = bytes(source, mutant);
    functions
        .iter()
        .position(|function| function.body.start < place.start && place.end < function.body.end)
}

fn bytes(source: &str, mutant: &Mutant) -> Range<usize> {
    byte(source, mutant.span.start)..byte(source, mutant.span.end)
}

fn byte(source: &str, place: Place) -> usize {
    let line = source.split_inclusive('\n').nth(place.line - 1).unwrap_or_default();
    let start = line.as_ptr() as usize - source.as_ptr() as usize;
    let within = line.char_indices().nth(place.column - 1);
    start + within.map_or(line.len(), |(byte, _)| byte)
}

fn functions(source: &str) -> syn::Result<Vec<Function>> {
    let mut found = Vec::new();
    collect(&syn::parse_file(source)?.items, source, &mut found);
    Ok(found)
}

fn collect(items: &[Item], source: &str, found: &mut Vec<Function>) {
    for item in items {
        match item {
            Item::Fn(function) => found.push(known(&function.sig, &function.block, source)),
            Item::Impl(block) => found.extend(block.items.iter().filter_map(|item| match item {
                ImplItem::Fn(function) => Some(known(&function.sig, &function.block, source)),
                _ => None,
            })),
            Item::Trait(item) => found.extend(item.items.iter().filter_map(|item| match item {
                TraitItem::Fn(function) => {
                    Some(known(&function.sig, function.default.as_ref()?, source))
                }
                _ => None,
            })),
            Item::Mod(module) => {
                let items = module.content.as_ref().map_or(&[][..], |(_, items)| items);
                collect(items, source, found);
            }
            _ => {}
        }
    }
}

fn known(signature: &Signature, block: &Block, source: &str) -> Function {
    let place = |LineColumn { line, column }| byte(source, Place { line, column: column + 1 });
    let span: TokenSpan = block.span();
    let returns_unnamed = match &signature.output {
        ReturnType::Type(_, named) => is_unnamed(named, source),
        ReturnType::Default => false,
    };
    Function {
        body: place(span.start())..place(span.end()),
        can_choose: !returns_unnamed,
        is_constant: signature.constness.is_some(),
    }
}

/// Whether a type is, or holds, an `impl Trait`.
fn is_unnamed(named: &Type, source: &str) -> bool {
    let span = named.span();
    let place = |LineColumn { line, column }| byte(source, Place { line, column: column + 1 });
    let mut words = source[place(span.start())..place(span.end())]
        .split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
    words.any(|word| word == "impl")
}

#[cfg(test)]
mod tests {
    use super::super::list::Span;
    use super::*;

    const SOURCE: &str = "\
impl Half {
    /// Größe.
    fn size(&self) -> u8 {
        /* ö */ self.0 / 2
    }

    const fn zero() -> u8 {
        1 - 1
    }

    fn all(&self) -> Option<impl Iterator<Item = u8>> {
        Some(0..self.0 + 1)
    }
}
";

    fn mutant(line: usize, text: &str, replacement: &str) -> Mutant {
        let found = SOURCE
            .lines()
            .nth(line - 1)
            .and_then(|line| Some(1 + line[..line.find(text)?].chars().count()));
        let column = found.expect("the text is in that line");
        let end = Place { line, column: column + text.chars().count() };
        Mutant {
            file: String::new(),
            name: String::new(),
            span: Span { start: Place { line, column }, end },
            replacement: replacement.into(),
        }
    }

    #[test]
    fn a_function_chooses_between_itself_and_its_mutants() {
        let mutants = [mutant(4, "/ 2", "* 2"), mutant(4, "/* ö */ self.0 / 2", "0")];
        let woven = weave(SOURCE, &[(7, &mutants[0]), (9, &mutants[1])]).expect("it is Rust");
        let lines: Vec<&str> = woven.text.lines().collect();
        assert_eq!(
            lines[2..17],
            [
                "    fn size(&self) -> u8 { match crate::mutant::alive() {",
                "n if !matches!(n, 7 | 9) => {",
                "        /* ö */ self.0 / 2",
                "    }",
                "7 => {",
                "        /* ö */ self.0 * 2",
                "    }",
                "9 => {",
                "        0",
                "    }",
                "_ => ::core::unreachable!(),",
                "} }",
                "",
                "    const fn zero() -> u8 {",
                "        1 - 1",
            ]
        );
        assert_eq!(woven.lines, BTreeMap::from([(7, 7..10), (9, 10..13)]));
        syn::parse_file(&woven.text).expect("it is Rust still");
    }

    #[test]
    fn what_has_no_name_stays_apart() {
        let can = |mutant| is_choosable(SOURCE, &mutant).expect("it is Rust");
        assert!(can(mutant(4, "/ 2", "% 2")));
        assert!(can(mutant(8, "-", "+")));
        assert!(!can(mutant(12, "+", "-")));
        assert!(!can(mutant(1, "Half", "Whole")));
    }

    #[test]
    fn what_the_compiler_may_evaluate_is_known() {
        let is = |mutant| is_constant(SOURCE, &mutant).expect("it is Rust");
        assert!(is(mutant(8, "-", "+")));
        assert!(!is(mutant(4, "/ 2", "% 2")));
    }
}
