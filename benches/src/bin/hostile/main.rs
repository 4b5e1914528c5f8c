//! What peers can do to whoever listens to them, in twice the size: does it cost more than twice as much?
//!
//! `hostile FAMILY N` prepares N of something that is as bad as it can be, and takes it in as a server would;
//! with `--prepare` it only prepares. `cargo xtask hostile` counts the instructions of both.

mod delivery;
mod documents;
mod sync;
mod types;

use clap::Parser;

/// What was prepared: taking it in says how much has come of it, which is looked at.
pub(crate) type Attack = Box<dyn FnOnce() -> usize>;

/// A way to be a nuisance.
struct Family {
    name: &'static str,
    what: &'static str,
    prepare: fn(usize) -> Attack,
    /// Whether it is known to cost the square of its size, and why that is so. The others must not.
    known: Option<&'static str>,
}

const FAMILIES: &[Family] = &[
    Family {
        name: "at-one-place",
        what: "each of many types a letter at one place, and has seen none of the others",
        prepare: documents::at_one_place,
        known: None,
    },
    Family {
        name: "at-one-place-at-once",
        what: "the same, in one message",
        prepare: documents::at_one_place_at_once,
        known: None,
    },
    Family {
        name: "two-all-day",
        what: "two who do not see each other type at the beginning of one text",
        prepare: documents::two_all_day,
        known: None,
    },
    Family {
        name: "taking-turns",
        what: "two type in turns, a letter each",
        prepare: documents::taking_turns,
        known: None,
    },
    Family {
        name: "forks-and-merges",
        what: "two type at once, see each other, and do so again",
        prepare: documents::forks_and_merges,
        known: None,
    },
    Family {
        name: "typed-and-erased",
        what: "what one types is erased at once, while another types beside it",
        prepare: documents::typed_and_erased,
        known: None,
    },
    Family {
        name: "one-key",
        what: "each of many writes to one key of a map, and has seen none of the others",
        prepare: documents::one_key,
        known: Some("each value is compared with all that are there"),
    },
    Family {
        name: "many-containers",
        what: "each change makes a container in a container of its own",
        prepare: documents::many_containers,
        known: None,
    },
    Family {
        name: "gaps",
        what: "the changes of a set come in reverse, so that each leaves a gap",
        prepare: types::gaps,
        known: None,
    },
    Family {
        name: "add-and-remove",
        what: "one element is added by many at once, and removed by who saw all of that",
        prepare: types::add_and_remove,
        known: None,
    },
    Family {
        name: "siblings",
        what: "each of many writes to one register, and has seen none of the others",
        prepare: types::siblings,
        known: None,
    },
    Family {
        name: "one-element-moved",
        what: "each of many moves one element of a list",
        prepare: types::one_element_moved,
        known: None,
    },
    Family {
        name: "one-parent",
        what: "each of many puts a node below one parent of a tree",
        prepare: types::one_parent,
        known: None,
    },
    Family {
        name: "one-below-the-other",
        what: "each node of a tree is put below the one before",
        prepare: types::one_below_the_other,
        known: None,
    },
    Family {
        name: "leaves-in-reverse",
        what: "moves of a tree's nodes come in reverse, with nothing below the nodes",
        prepare: types::leaves_in_reverse,
        known: None,
    },
    Family {
        name: "folders-in-reverse",
        what: "moves of a tree's nodes come in reverse, with something below each node",
        prepare: types::folders_in_reverse,
        known: Some("each move is followed by all later ones of nodes that others stand below"),
    },
    Family {
        name: "in-reverse",
        what: "messages that depend on each other come in reverse",
        prepare: delivery::in_reverse,
        known: None,
    },
    Family {
        name: "all-for-one",
        what: "messages of many wait for one, which comes last",
        prepare: delivery::all_for_one,
        known: None,
    },
    Family {
        name: "beyond-the-bounds",
        what: "messages that wait for what does not exist, more than are held",
        prepare: delivery::beyond_the_bounds,
        known: None,
    },
    Family {
        name: "many-names",
        what: "two who have half of their writers in common meet",
        prepare: sync::many_names,
        known: None,
    },
    Family {
        name: "presence",
        what: "everybody says where they are, again and again",
        prepare: sync::presence,
        known: None,
    },
];

#[derive(Parser)]
struct Options {
    /// Which family; without it they are listed.
    family: Option<String>,
    /// How many.
    #[arg(default_value_t = 1_000)]
    count: usize,
    /// Prepares, and takes nothing in.
    #[arg(long)]
    prepare: bool,
}

fn main() {
    let options = Options::parse();
    let Some(name) = options.family else {
        for Family { name, what, known, .. } in FAMILIES {
            let known = known.map(|why| format!(" (KNOWN: {why})")).unwrap_or_default();
            println!("{name:<22} {what}{known}");
        }
        return;
    };
    let Some(family) = FAMILIES.iter().find(|family| family.name == name) else {
        eprintln!("there is no family {name}; without a name they are listed");
        std::process::exit(2);
    };
    let attack = (family.prepare)(options.count);
    if !options.prepare {
        let come = attack();
        assert!(come >= options.count / 2, "only {come} has come of {}", options.count);
    }
}
