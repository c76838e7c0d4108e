//! Logins, refreshes, revocations and erasure against a real database.

use super::*;
use tempfile::TempDir;
use tradewind_domain::codes::{AccessStatus, Role};
use tradewind_domain::event::{AccessSet, Event, Kind};
use tradewind_domain::ids::{GroupId, NodeId};
use tradewind_domain::text::Code;

const SECOND: u64 = NANOS_PER_SEC;
const START: UnixNanos = 1_000 * SECOND;

async fn open(dir: &TempDir) -> Identity {
    let settings = IdentitySettings {
        dir: dir.path().to_path_buf(),
        token_ns: 3_600 * SECOND,
        refresh_ns: 36_000 * SECOND,
        failures_max: 3,
        lock_ns: 60 * SECOND,
        cost: PasswordCost {
            memory_kib: 8,
            passes: 1,
        },
        outside: None,
    };
    Identity::open(settings, Arc::new(Access::default()), START)
        .await
        .unwrap()
}

/// A journal record that says how `user` stands to the whole firm.
fn record(identity: &Identity, seq: u64, user: UserId, status: AccessStatus) {
    let mut event = Event::empty();
    event.reset(Kind::AccessSet);
    (event.head.seq, event.head.recv_ns) = (seq, START);
    *event.body_mut() = AccessSet {
        author: Code::new("u1").unwrap(),
        user,
        group: GroupId::NONE,
        role: Role::Trader as u8,
        status: status as u8,
        node: NodeId::NONE,
        ..bytemuck::Zeroable::zeroed()
    };
    identity.access.observe(&event);
}

async fn ann(identity: &Identity) -> (UserId, Secret) {
    let password = Secret::new("a long password");
    let new = NewUser {
        name: "ann".into(),
        full_name: "Ann Example".into(),
        mail: "ann@example.org".into(),
        subject: None,
    };
    let row = identity.add_user(new, Some(&password), START).await.unwrap();
    (UserId(row.id), password)
}

fn denied<T: std::fmt::Debug>(result: Result<T>) -> AuthError {
    match result.unwrap_err() {
        IdentityError::Denied(why) => why,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_first_start_makes_one_user_whose_password_is_shown_once() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let first = identity.first_user(false, START).await.unwrap().unwrap();
    identity.login("admin", &first.password, START).await.unwrap();
    let again = identity.first_user(false, START).await.unwrap().unwrap();
    assert_ne!(again.password, first.password);
    assert!(identity.first_user(true, START).await.unwrap().is_none());
    assert!(!format!("{first:?}").contains(first.password.reveal()));
    identity.close().await;
    assert!(open(&dir).await.first_user(true, START).await.unwrap().is_none());
}

#[tokio::test]
async fn a_login_gives_tokens_that_name_the_user_until_they_expire() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (user, password) = ann(&identity).await;
    let issued = identity.login("ANN", &password, START).await.unwrap();
    let caller = identity
        .authenticate(issued.access.reveal(), START)
        .await
        .unwrap();
    assert_eq!(
        (caller.user, caller.name.as_str(), issued.expires_in_s),
        (user, "ann", 3_600)
    );
    let later = START + 3_600 * SECOND;
    assert_eq!(
        denied(identity.authenticate(issued.access.reveal(), later).await),
        AuthError::Expired
    );
    assert!(!format!("{issued:?}").contains(issued.refresh.reveal()));
}

#[tokio::test]
async fn three_wrong_passwords_lock_out_the_right_one_for_a_while() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (_, password) = ann(&identity).await;
    let wrong = Secret::new("another password");
    for _ in 0..3 {
        assert_eq!(
            denied(identity.login("ann", &wrong, START).await),
            AuthError::BadCredentials
        );
    }
    let until_ns = START + 60 * SECOND;
    assert_eq!(
        denied(identity.login("ann", &password, START).await),
        AuthError::LockedOut { until_ns }
    );
    identity.close().await;
    let identity = open(&dir).await;
    assert_eq!(
        denied(identity.login("ann", &password, until_ns - 1).await),
        AuthError::LockedOut { until_ns }
    );
    identity.login("ann", &password, until_ns).await.unwrap();
    assert_eq!(
        denied(identity.login("nobody", &wrong, START).await),
        AuthError::BadCredentials
    );
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_second_use_ends_the_login() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (_, password) = ann(&identity).await;
    let first = identity.login("ann", &password, START).await.unwrap();
    let second = identity.refresh(&first.refresh, START).await.unwrap();
    identity
        .authenticate(second.access.reveal(), START)
        .await
        .unwrap();
    assert_eq!(
        denied(identity.refresh(&first.refresh, START).await),
        AuthError::Reused
    );
    for token in [&first.access, &second.access] {
        assert_eq!(
            denied(identity.authenticate(token.reveal(), START).await),
            AuthError::Revoked
        );
    }
    assert_eq!(
        denied(identity.refresh(&second.refresh, START).await),
        AuthError::BadToken
    );
    assert_eq!(
        denied(identity.refresh(&Secret::new("twr_x"), START).await),
        AuthError::BadToken
    );
}

#[tokio::test]
async fn a_logout_ends_its_own_login_also_across_a_restart_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (_, password) = ann(&identity).await;
    let one = identity.login("ann", &password, START).await.unwrap();
    let other = identity.login("ann", &password, START).await.unwrap();
    identity.logout(&one.caller, START).await.unwrap();
    identity.close().await;
    let identity = open(&dir).await;
    assert_eq!(
        denied(identity.authenticate(one.access.reveal(), START).await),
        AuthError::Revoked
    );
    identity.authenticate(other.access.reveal(), START).await.unwrap();
}

#[tokio::test]
async fn a_revocation_ends_what_was_made_before_it_and_nothing_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (user, password) = ann(&identity).await;
    record(&identity, 5, user, AccessStatus::Granted);
    let before = identity.login("ann", &password, START).await.unwrap();
    let key = identity.add_key(user, "algo", START).await.unwrap();
    identity.authenticate(key.key.reveal(), START).await.unwrap();
    record(&identity, 6, user, AccessStatus::Revoked);
    for token in [&before.access, &key.key] {
        assert_eq!(
            denied(identity.authenticate(token.reveal(), START).await),
            AuthError::Revoked
        );
    }
    assert_eq!(
        denied(identity.refresh(&before.refresh, START).await),
        AuthError::Revoked
    );
    let after = identity.login("ann", &password, START).await.unwrap();
    identity.authenticate(after.access.reveal(), START).await.unwrap();
    record(&identity, 7, UserId(999), AccessStatus::Revoked);
    identity.authenticate(after.access.reveal(), START).await.unwrap();
}

#[tokio::test]
async fn an_api_key_works_until_it_is_taken_away_and_only_whole() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (user, _) = ann(&identity).await;
    let made = identity.add_key(user, "algo", START).await.unwrap();
    for _ in 0..2 {
        assert_eq!(
            identity
                .authenticate(made.key.reveal(), START)
                .await
                .unwrap()
                .user,
            user
        );
    }
    let mut wrong = made.key.reveal().to_owned();
    wrong.pop();
    assert_eq!(
        denied(identity.authenticate(&wrong, START).await),
        AuthError::BadToken
    );
    assert_eq!(
        identity.keys(user).await.unwrap(),
        std::slice::from_ref(&made.row)
    );
    let connected = identity.authenticate(made.key.reveal(), START).await.unwrap();
    identity.remove_key(user, &made.row.id, START).await.unwrap();
    assert_eq!(
        denied(identity.authenticate(made.key.reveal(), START).await),
        AuthError::BadToken
    );
    assert_eq!(
        identity.still_counts(&connected, START),
        Err(AuthError::Revoked),
        "who is connected with it is not any more"
    );
}

#[tokio::test]
async fn guesses_at_one_time_are_as_many_as_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let identity = Arc::new(open(&dir).await);
    let (_, password) = ann(&identity).await;
    let guesses: Vec<_> = (0..24)
        .map(|n| {
            let identity = Arc::clone(&identity);
            let guess = Secret::new(format!("a wrong guess {n}"));
            tokio::spawn(async move { denied(identity.login("ann", &guess, START).await) })
        })
        .collect();
    let mut looked_at = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            AuthError::BadCredentials => looked_at += 1,
            AuthError::LockedOut { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(looked_at, 3);
    assert!(matches!(
        denied(identity.login("ann", &password, START).await),
        AuthError::LockedOut { .. }
    ));
}

#[tokio::test]
async fn a_wrong_old_password_counts_as_a_failed_login() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (user, password) = ann(&identity).await;
    assert!(identity.is_password(user, &password, START).await.unwrap());
    let wrong = Secret::new("another password");
    for _ in 0..3 {
        assert!(!identity.is_password(user, &wrong, START).await.unwrap());
    }
    let locked = denied(identity.is_password(user, &password, START).await);
    assert!(matches!(locked, AuthError::LockedOut { .. }));
}

#[tokio::test]
async fn a_new_password_ends_every_login_and_keeps_the_keys() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (user, password) = ann(&identity).await;
    let key = identity.add_key(user, "algo", START).await.unwrap();
    let first = identity.login("ann", &password, START).await.unwrap();
    let renewed = identity.refresh(&first.refresh, START).await.unwrap();
    let other = identity.login("ann", &password, START).await.unwrap();
    let new = Secret::new("another password");
    identity.set_password(user, &new, START).await.unwrap();
    identity.close().await;
    let identity = open(&dir).await;
    for token in [&first.access, &renewed.access, &other.access] {
        assert_eq!(
            denied(identity.authenticate(token.reveal(), START).await),
            AuthError::Revoked
        );
    }
    assert_eq!(
        denied(identity.refresh(&renewed.refresh, START).await),
        AuthError::BadToken
    );
    identity.authenticate(key.key.reveal(), START).await.unwrap();
    identity.login("ann", &new, START).await.unwrap();
}

#[tokio::test]
async fn an_erased_user_is_gone_from_the_file_and_his_number_is_not_given_again() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    let (user, password) = ann(&identity).await;
    let issued = identity.login("ann", &password, START).await.unwrap();
    identity.erase_user(user).await.unwrap();
    assert_eq!(
        denied(identity.authenticate(issued.access.reveal(), START).await),
        AuthError::Revoked
    );
    assert_eq!(
        denied(identity.login("ann", &password, START).await),
        AuthError::BadCredentials
    );
    let (again, _) = {
        let new = NewUser {
            name: "ben".into(),
            ..NewUser::default()
        };
        (identity.add_user(new, None, START).await.unwrap().id, ())
    };
    assert!(again > user.0);
    identity.close().await;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"ann@example"));
    }
}

#[tokio::test]
async fn names_are_taken_once_and_values_that_cannot_be_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    ann(&identity).await;
    let new = |name: &str| NewUser {
        name: name.into(),
        ..NewUser::default()
    };
    let taken = identity.add_user(new("Ann"), None, START).await;
    assert!(matches!(taken, Err(IdentityError::NameTaken { .. })));
    for name in ["", "a b", "a\n", &"x".repeat(65)] {
        let refused = identity.add_user(new(name), None, START).await;
        assert!(matches!(refused, Err(IdentityError::BadValue(_))), "{name:?}");
    }
    let short = identity
        .add_user(new("ben"), Some(&Secret::new("short")), START)
        .await;
    assert!(matches!(short, Err(IdentityError::BadValue(_))));
    identity.add_group("desk").await.unwrap();
    assert!(matches!(
        identity.add_group("Desk").await,
        Err(IdentityError::NameTaken { .. })
    ));
    assert_eq!(identity.groups().await.unwrap().len(), 1);
}

#[tokio::test]
async fn where_the_database_was_lost_numbers_go_on_above_those_of_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    let identity = open(&dir).await;
    record(&identity, 5, UserId(41), AccessStatus::Granted);
    let first = identity.first_user(true, START).await.unwrap().unwrap();
    assert_eq!(first.user, UserId(42));
}

/// An issuer with a P-256 key, and a token of it.
struct Issuer {
    pair: ring::signature::EcdsaKeyPair,
    random: ring::rand::SystemRandom,
}

impl Issuer {
    fn new() -> Self {
        use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as KIND, EcdsaKeyPair};
        let random = ring::rand::SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&KIND, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&KIND, pkcs8.as_ref(), &random).unwrap();
        Self { pair, random }
    }

    fn jwks(&self) -> String {
        use ring::signature::KeyPair;
        let point = self.pair.public_key().as_ref();
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
        format!(
            r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"k1","alg":"ES256","use":"sig","x":"{x}","y":"{y}"}}]}}"#
        )
    }

    fn token(&self, claims: &serde_json::Value) -> String {
        let head = base64url(br#"{"alg":"ES256","kid":"k1"}"#);
        let message = format!("{head}.{}", base64url(claims.to_string().as_bytes()));
        let signature = self.pair.sign(&self.random, message.as_bytes()).unwrap();
        format!("{message}.{}", base64url(signature.as_ref()))
    }
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn an_outside_issuers_token_counts_for_the_user_with_its_subject_until_something_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let issuer = Issuer::new();
    let jwks_file = dir.path().join("jwks.json");
    std::fs::write(&jwks_file, issuer.jwks()).unwrap();
    let outside = OutsideIssuer {
        issuer: "https://sso.example.org/realms/firm".into(),
        audience: "tradewind".into(),
        jwks_file,
    };
    let settings = IdentitySettings {
        outside: Some(outside),
        ..open(&dir).await.settings
    };
    let identity = Identity::open(settings, Arc::new(Access::default()), START)
        .await
        .unwrap();
    let new = NewUser {
        name: "ann".into(),
        subject: Some("5f3c".into()),
        ..NewUser::default()
    };
    let user = UserId(identity.add_user(new, None, START).await.unwrap().id);
    let now_s = START / SECOND;
    let good = serde_json::json!({
        "iss": "https://sso.example.org/realms/firm", "aud": ["account", "tradewind"], "sub": "5f3c", "iat": now_s, "exp": now_s + 300,
    });
    let with = |name: &str, value: serde_json::Value| {
        let mut claims = good.clone();
        claims[name] = value;
        issuer.token(&claims)
    };
    let token = issuer.token(&good);
    assert_eq!(identity.authenticate(&token, START).await.unwrap().user, user);
    for (name, value, why) in [
        ("iss", "https://evil.example.org".into(), AuthError::BadToken),
        ("aud", "another".into(), AuthError::BadToken),
        ("sub", "nobody".into(), AuthError::BadToken),
        ("nbf", (now_s + 100).into(), AuthError::BadToken),
        ("exp", (now_s - 100).into(), AuthError::Expired),
    ] {
        assert_eq!(
            denied(identity.authenticate(&with(name, value), START).await),
            why,
            "{name}"
        );
    }
    // Tokens without a name of their own: a logout with one says nothing of the others.
    let (one, other) = (with("exp", (now_s + 400).into()), token.as_str());
    let caller = identity.authenticate(&one, START).await.unwrap();
    identity.logout(&caller, START).await.unwrap();
    assert_eq!(
        denied(identity.authenticate(&one, START).await),
        AuthError::Revoked
    );
    identity.authenticate(other, START).await.unwrap();
    let stranger = Issuer::new().token(&good);
    assert_eq!(
        denied(identity.authenticate(&stranger, START).await),
        AuthError::BadToken
    );
    record(&identity, 5, user, AccessStatus::Revoked);
    assert_eq!(
        denied(identity.authenticate(&token, START).await),
        AuthError::Revoked
    );
    identity
        .authenticate(&with("iat", (now_s + 1).into()), START)
        .await
        .unwrap();
}
