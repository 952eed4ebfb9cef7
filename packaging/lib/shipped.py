"""What the executable is made of, from what was restored for it."""
import json
import pathlib
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def packages():
    """Folder of each NuGet package with a file that runs; analysers and the like have none."""
    assets = json.loads((ROOT / "src/ConntrackStream/obj/project.assets.json").read_text())
    folders = [pathlib.Path(folder) for folder in assets["packageFolders"]]
    for name, target in sorted(next(iter(assets["targets"].values())).items()):
        files = [file for file in target.get("runtime", {}) if not file.endswith("/_._")]
        if target["type"] == "package" and files:
            path = assets["libraries"][name]["path"]
            yield next(folder / path for folder in folders if (folder / path).is_dir())


def metadata(package):
    """The elements of a package's nuspec, by name."""
    return {element.tag.split("}")[1]: element for element in xml.parse(next(package.glob("*.nuspec"))).getroot()[0]}


def page_libraries():
    """Folder of each library of the page, which has its package.json and LICENSE."""
    return sorted(path.parent for path in (ROOT / "src/ConntrackStream/Page/Assets").glob("*/package.json"))


def page_source(package):
    return package["repository"]["url"].removeprefix("git+").removesuffix(".git").replace("git://", "https://")
