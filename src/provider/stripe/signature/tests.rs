//! Vectors made with `printf '%s.%s' T BODY | openssl dgst -sha256 -hmac SECRET`, so that the check is not
//! only checked against itself.

use super::*;

const BODY: &[u8] = br#"{"id":"evt_1"}"#;
const SIGNED: i64 = 1_700_000_000;
const BY_OLD: &str = "ef1b1b7e4b312671a75ef2a03e10529f7834a6528a49db77ad6568c8c8017843";
const BY_NEW: &str = "f3ac0c93c23f69e2e6046d7f0e2c82c93d0403de0f8651457189ab70fbbfcaae";

fn check(header: &str, seconds_later: i64, expected: Result<(), SignatureError>) {
    let secrets = ["whsec_old", "whsec_new"].map(SecretString::from);
    let now = Timestamp::from_second(SIGNED + seconds_later).unwrap();
    assert_eq!(
        verify(BODY, header, &secrets, now),
        expected,
        "{header} {seconds_later}"
    );
}

#[test]
fn any_signature_with_any_secret_is_enough() {
    check(&format!("t={SIGNED},v1={BY_OLD}"), 0, Ok(()));
    check(&format!("t={SIGNED},v1={BY_NEW}"), 0, Ok(()));
    check(&format!("t={SIGNED},v1=00,v1={BY_NEW},v0=11"), 0, Ok(()));
    check(&format!("v1={BY_OLD}, t={SIGNED}"), 0, Ok(()));
}

#[test]
fn five_minutes_either_way_are_borne_and_no_more() {
    let header = format!("t={SIGNED},v1={BY_OLD}");
    check(&header, 300, Ok(()));
    check(&header, 301, Err(SignatureError::TooOld));
    check(&header, -300, Ok(()));
    check(&header, -301, Err(SignatureError::TooNew));
}

#[test]
fn what_was_not_signed_by_us_does_not_match() {
    use SignatureError::NoMatch;
    // Another time than the one that was signed, the same digest cut short, the unused scheme.
    check(&format!("t={},v1={BY_OLD}", SIGNED + 1), 0, Err(NoMatch));
    check(&format!("t={SIGNED},v1={}", &BY_OLD[..62]), 0, Err(NoMatch));
    check(&format!("t={SIGNED},v0={BY_OLD},v1=00"), 0, Err(NoMatch));
    let secrets = [SecretString::from("whsec_old")];
    let now = Timestamp::from_second(SIGNED).unwrap();
    let header = format!("t={SIGNED},v1={BY_OLD}");
    assert_eq!(verify(b"{}", &header, &secrets, now), Err(NoMatch));
    assert_eq!(verify(BODY, &header, &[], now), Err(NoMatch));
}

#[test]
fn a_header_that_is_no_header_is_malformed() {
    use SignatureError::Malformed;
    for header in ["", "t=", "t=x,v1=00", "v1=00", "t=1700000000", "t=1,v1=zz"] {
        check(header, 0, Err(Malformed));
    }
    let long = format!("t={SIGNED},v1={BY_OLD},{}", "v1=00,".repeat(1000));
    check(&long, 0, Err(Malformed));
}
