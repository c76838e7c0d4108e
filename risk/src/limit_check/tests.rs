//! Tests of the limit check.
