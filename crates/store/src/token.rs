use std::fmt;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest::{SHA256, digest},
    hkdf::{HKDF_SHA256, Prk},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, SecretString};

/// First byte of an encrypted token: the layout that follows.
const LAYOUT: u8 = 1;
/// How many bytes of the key's hash identify the key.
const KEY_NAME_LEN: usize = 4;
const KEY_LEN: usize = 32;

/// Encrypts Wonde tokens for the database with AES-256-GCM, and signs what browsers keep for us.
///
/// An encrypted token is `layout (1) | key name (4) | nonce (12) | ciphertext and tag`. The name of
/// its owner, a school's id, is authenticated with it, so a token that was copied to another
/// school's row does not decrypt. There can be several keys: the first encrypts, all decrypt, so a
/// key can be replaced without a break.
pub struct TokenCipher {
    keys: Vec<([u8; KEY_NAME_LEN], LessSafeKey)>,
    signers: Vec<Prk>,
    random: SystemRandom,
}

/// What a signature is for. It is not valid for any other purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The cookie of a session of the dashboard.
    Session,
    /// A form of such a session.
    Form,
}

impl Purpose {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Session => b"mis-sync session",
            Self::Form => b"mis-sync form",
        }
    }
}

/// The text is not an encryption key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an encryption key consists of 64 hexadecimal digits (32 bytes); `openssl rand -hex 32` makes one"
)]
pub struct InvalidEncryptionKey;

impl TokenCipher {
    /// Takes one or more keys of 64 hexadecimal digits, separated by commas; the first encrypts.
    pub fn from_hex(keys: &SecretString) -> Result<Self, InvalidEncryptionKey> {
        let keys = keys.expose_secret().split(',').map(parse_key).collect::<Result<Vec<_>, _>>()?;
        let signers = keys.iter().map(|bytes| Prk::new_less_safe(HKDF_SHA256, bytes)).collect();
        let keys = keys.iter().map(sealing_key).collect();
        Ok(Self { keys, signers, random: SystemRandom::new() })
    }

    /// Signs a message for one purpose, with a key derived (HKDF) from the first one.
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> [u8; 32] {
        let signer = self.signers.first().expect("from_hex gives at least one");
        hmac::sign(&signing_key(signer, purpose), message)
            .as_ref()
            .try_into()
            .expect("HMAC-SHA256 has 32 bytes")
    }

    /// Whether one of our keys signed the message for this purpose. Every guess takes the same
    /// time.
    pub fn has_signed(&self, purpose: Purpose, message: &[u8], signature: &[u8]) -> bool {
        self.signers
            .iter()
            .any(|signer| hmac::verify(&signing_key(signer, purpose), message, signature).is_ok())
    }

    pub(crate) fn seal(&self, owner: &str, token: &SecretString) -> Vec<u8> {
        let (name, key) = self.keys.first().expect("from_hex gives at least one");
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).expect("the system gives random bytes");
        let mut sealed = token.expose_secret().as_bytes().to_vec();
        key.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(owner),
            &mut sealed,
        )
        .expect("a token is far shorter than AES-GCM can seal");
        [&[LAYOUT], &name[..], &nonce, &sealed].concat()
    }

    /// `None` if none of our keys encrypted it for this owner.
    pub(crate) fn open(&self, owner: &str, sealed: &[u8]) -> Option<SecretString> {
        let (layout, rest) = sealed.split_first()?;
        let (name, rest) = rest.split_at_checked(KEY_NAME_LEN)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN)?;
        let (_, key) = self.keys.iter().find(|(known, _)| *layout == LAYOUT && known == name)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut buffer = ciphertext.to_vec();
        let token = key.open_in_place(nonce, Aad::from(owner), &mut buffer).ok()?;
        std::str::from_utf8(token).ok().map(SecretString::from)
    }

    /// Whether the first key encrypted it, with which everything new is encrypted.
    pub(crate) fn is_newest(&self, sealed: &[u8]) -> bool {
        let name = sealed.get(1..=KEY_NAME_LEN);
        self.keys.first().is_some_and(|(newest, _)| name == Some(newest.as_slice()))
    }
}

impl fmt::Debug for TokenCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCipher(..)")
    }
}

fn signing_key(signer: &Prk, purpose: Purpose) -> hmac::Key {
    let info = [purpose.as_bytes()];
    signer.expand(&info, hmac::HMAC_SHA256).expect("of the length of the hash").into()
}

fn sealing_key(bytes: &[u8; KEY_LEN]) -> ([u8; KEY_NAME_LEN], LessSafeKey) {
    let key = UnboundKey::new(&AES_256_GCM, bytes).expect("an AES-256 key has 32 bytes");
    let mut name = [0; KEY_NAME_LEN];
    name.copy_from_slice(&digest(&SHA256, bytes).as_ref()[..KEY_NAME_LEN]);
    (name, LessSafeKey::new(key))
}

fn parse_key(text: &str) -> Result<[u8; KEY_LEN], InvalidEncryptionKey> {
    let mut key = [0; KEY_LEN];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|_| InvalidEncryptionKey)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cipher(keys: &str) -> TokenCipher {
        TokenCipher::from_hex(&SecretString::from(keys)).unwrap()
    }

    #[test]
    fn opens_what_it_sealed_for_this_owner_only() {
        let cipher = cipher(&"0a".repeat(32));
        let (oak, elm) = ("oak", "elm");
        let sealed = cipher.seal(oak, &"t0ken".into());
        assert_eq!(cipher.open(oak, &sealed).unwrap().expose_secret(), "t0ken");
        assert!(cipher.open(elm, &sealed).is_none());
        assert!(!sealed.windows(5).any(|window| window == b"t0ken"));
        assert_ne!(sealed, cipher.seal(oak, &"t0ken".into()), "a nonce is never used twice");
        for cut in 0..sealed.len() {
            assert!(cipher.open(oak, &sealed[..cut]).is_none(), "{cut} bytes");
        }
    }

    #[test]
    fn a_key_can_be_replaced() {
        let (old, new) = ("0a".repeat(32), "0b".repeat(32));
        let sealed = cipher(&old).seal("oak", &"t0ken".into());
        assert!(cipher(&new).open("oak", &sealed).is_none());
        let both = cipher(&format!("{new}, {old}"));
        assert!(both.open("oak", &sealed).is_some());
        assert!(!both.is_newest(&sealed) && both.is_newest(&both.seal("oak", &"t0ken".into())));
    }

    #[test]
    fn a_signature_holds_for_its_message_its_purpose_and_its_key() {
        let (old, new) = ("0a".repeat(32), "0b".repeat(32));
        let signature = cipher(&old).sign(Purpose::Session, b"oak");
        for keys in [old.clone(), format!("{new},{old}")] {
            let cipher = cipher(&keys);
            assert!(cipher.has_signed(Purpose::Session, b"oak", &signature));
            assert!(!cipher.has_signed(Purpose::Session, b"elm", &signature));
            assert!(!cipher.has_signed(Purpose::Form, b"oak", &signature));
            assert!(!cipher.has_signed(Purpose::Session, b"oak", &signature[..31]));
        }
        assert!(!cipher(&new).has_signed(Purpose::Session, b"oak", &signature));
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        for bad in ["", "0a", &"0a".repeat(31), &"zz".repeat(32), &"+a".repeat(32), &"é".repeat(32)]
        {
            assert!(TokenCipher::from_hex(&SecretString::from(bad)).is_err(), "{bad}");
        }
    }
}
