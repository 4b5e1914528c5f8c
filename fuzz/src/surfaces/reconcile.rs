//! Offers and answers of a reconciliation.

use crdt_causal::reconcile::{Answer, Collection, Exchange, Limits, Offer, Salt, answer};

use crate::memory::bounded;

fn here() -> Collection {
    (0..40u64).map(|number| (format!("document {number}"), number << 9)).collect()
}

/// The input is an offer to a collection, and an answer to an exchange. What decodes has one
/// encoding; an offer is answered, whatever its symbols say; an answer leaves the exchange with
/// a difference, or another offer, or as it was.
pub fn run(bytes: &[u8]) {
    if let Ok(offer) = bounded(bytes.len(), || Offer::decode(bytes)) {
        assert_eq!(offer.to_bytes(), bytes, "{offer:?}");
    }
    if let Ok(answer) = bounded(bytes.len(), || Answer::decode(bytes)) {
        assert_eq!(answer.to_bytes(), bytes, "{answer:?}");
    }
    let here = here();
    let answered = bounded(bytes.len(), || answer(&here, bytes, &Limits::default()));
    if let Ok(answered) = answered {
        Answer::decode(&answered).expect("answers can be read");
    }
    let mut exchange = Exchange::new(here, Salt([5; 16]), Limits::default());
    for _ in 0..8 {
        let Some(offer) = exchange.poll_transmit() else { break };
        Offer::decode(&offer).expect("offers can be read");
        if exchange.handle(bytes).is_err() {
            assert!(exchange.difference().is_none());
            break;
        }
    }
    assert!(exchange.poll_transmit().is_none() || exchange.difference().is_none());
}

/// What an honest exchange sends.
pub fn seeds() -> Vec<Vec<u8>> {
    let there: Collection = (3..50u64)
        .map(|number| (format!("document {number}"), (number << 9) + number / 30))
        .collect();
    let mut seeds = Vec::new();
    for symbols in [1, 4, 64] {
        let limits = Limits::default().with_first_symbols(symbols);
        let mut exchange = Exchange::new(there.clone(), Salt([5; 16]), limits);
        while let Some(offer) = exchange.poll_transmit() {
            let answered = answer(&here(), &offer, &limits).expect("it is an offer");
            exchange.handle(&answered).expect("it is an answer");
            seeds.extend([offer, answered]);
        }
    }
    seeds
}
