use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::{pbkdf2, rand::SecureRandom};

/// A PHC hash of 256 random bits that are discarded at once. No one can log in with it, so a new
/// person first uses *Forgot Password*.
///
/// One iteration is enough. Iterations make it costly to guess a *guessable* password, but 2^256
/// random ones cannot be guessed anyway. So a thousand new people cost milliseconds.
pub(crate) fn hash_of_a_forgotten_password(random: &dyn SecureRandom) -> String {
    let (mut password, mut salt, mut hash) = ([0; 32], [0; 16], [0; 32]);
    random.fill(&mut password).expect("the system gives random bytes");
    random.fill(&mut salt).expect("the system gives random bytes");
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        std::num::NonZeroU32::MIN,
        &salt,
        &password,
        &mut hash,
    );
    format!(
        "$pbkdf2-sha256$i=1,l=32${}${}",
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(hash)
    )
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;

    use super::*;

    #[test]
    fn it_is_a_phc_string_and_never_the_same() {
        let random = SystemRandom::new();
        let [first, second] = [(); 2].map(|()| hash_of_a_forgotten_password(&random));
        assert_ne!(first, second);
        let parts: Vec<&str> = first.split('$').collect();
        assert_eq!(parts[..3], ["", "pbkdf2-sha256", "i=1,l=32"]);
        assert_eq!(STANDARD_NO_PAD.decode(parts[3]).unwrap().len(), 16);
        assert_eq!(STANDARD_NO_PAD.decode(parts[4]).unwrap().len(), 32);
    }
}
