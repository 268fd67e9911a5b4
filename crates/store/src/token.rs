use std::fmt;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
};
use secrecy::{ExposeSecret, SecretString};

/// First byte of a sealed token: which layout follows.
const LAYOUT: u8 = 1;
/// How much of the key's hash says which key sealed a token.
const KEY_NAME_LEN: usize = 4;

/// Seals Wonde tokens for the database with AES-256-GCM.
///
/// A sealed token is `layout (1) | key name (4) | nonce (12) | ciphertext and tag`. The name of
/// its owner, a school's id, is authenticated with it, so a token copied to another school's row
/// does not open.
/// Several keys can be held: the first seals, all open, so a key can be replaced in peace.
pub struct TokenCipher {
    keys: Vec<([u8; KEY_NAME_LEN], LessSafeKey)>,
    random: SystemRandom,
}

/// A text that is no encryption key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an encryption key is 64 hexadecimal digits (32 bytes); `openssl rand -hex 32` makes one")]
pub struct InvalidEncryptionKey;

impl TokenCipher {
    /// Takes one or more keys of 64 hexadecimal digits, separated by commas; the first seals.
    pub fn from_hex(keys: &SecretString) -> Result<Self, InvalidEncryptionKey> {
        let keys = keys.expose_secret().split(',').map(parse_key).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { keys, random: SystemRandom::new() })
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

    /// `None` when no key of ours sealed it for this owner.
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
}

impl fmt::Debug for TokenCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCipher(..)")
    }
}

fn parse_key(hex: &str) -> Result<([u8; KEY_NAME_LEN], LessSafeKey), InvalidEncryptionKey> {
    let hex = hex.trim().as_bytes();
    let bytes = hex
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok().and_then(|p| u8::from_str_radix(p, 16).ok()))
        .collect::<Option<Vec<u8>>>()
        .filter(|_| hex.len() == 64 && hex.iter().all(u8::is_ascii_hexdigit))
        .ok_or(InvalidEncryptionKey)?;
    let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| InvalidEncryptionKey)?;
    let mut name = [0; KEY_NAME_LEN];
    name.copy_from_slice(&digest(&SHA256, &bytes).as_ref()[..KEY_NAME_LEN]);
    Ok((name, LessSafeKey::new(key)))
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
        assert!(cipher(&format!("{new}, {old}")).open("oak", &sealed).is_some());
    }

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        for bad in ["", "0a", &"0a".repeat(31), &"zz".repeat(32), &"+a".repeat(32), &"é".repeat(32)]
        {
            assert!(TokenCipher::from_hex(&SecretString::from(bad)).is_err(), "{bad}");
        }
    }
}
