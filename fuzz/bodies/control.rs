//! Requests of the control socket: any line is a request or a failure that says why, and a request that was understood can be written
//! and understood again.

use tradewind_control::{LINE_MAX, decode, encode};

pub(crate) fn request(bytes: &[u8]) {
    match decode(bytes) {
        Ok(request) => {
            assert!(bytes.len() <= LINE_MAX, "Invariant: a request fits its line");
            let line = encode(&request).expect("Invariant: what was read can be written");
            if line.len() <= LINE_MAX {
                // Writing escapes more than it must: what came close to the limit may exceed it.
                assert_eq!(
                    decode(&line).as_ref(),
                    Ok(&request),
                    "Invariant: it reads back as it was"
                );
            }
        }
        Err((_, failure)) => assert!(!failure.message.is_empty(), "Invariant: a failure says something"),
    }
}
