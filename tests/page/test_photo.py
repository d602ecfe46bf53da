"""Taking a photo, what is sent of it, and the box on it."""

from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.page.serving import PHONE, Site, draw_box, keep_screenshot, results_of
from tests.page.stub import Stub

pytestmark = pytest.mark.slow

_DROP = """([name, type]) => {
  const content = type ? [window.photo] : ["Dear Sir or Madam"];
  const data = new DataTransfer();
  data.items.add(new File(content, name, { type }));
  return data;
}"""


def _sent(stub: Stub) -> Image.Image:
    return Image.open(BytesIO(stub.asked[-1].photo))


@pytest.fixture(scope="module")
def camera_photo(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 megapixels with a sensor's noise, stored on its side; a garment fills the upper left quarter of the file."""
    with Image.open(site.photos[0]) as drawn:
        scene = Image.new("RGB", (4000, 3000), (196, 186, 170))
        scene.paste(drawn.resize((1125, 1500)), (400, 0))
    noise = np.random.default_rng(1).integers(-12, 13, (3000, 4000, 1), dtype=np.int16)
    pixels = (np.asarray(scene, dtype=np.int16) + noise).clip(0, 255).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "A camera"
    file = tmp_path_factory.mktemp("camera") / "IMG_1.jpg"
    Image.fromarray(pixels).save(file, "JPEG", quality=92, exif=exif)
    return file


def test_a_photo_of_twelve_megapixels_is_sent_small_and_upright(
    page: Page, page_url: str, stub: Stub, camera_photo: Path
) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", camera_photo)
    results_of(page)
    sent = _sent(stub)
    assert sent.format == "JPEG"
    assert sent.size == (480, 640)
    assert len(stub.asked[-1].photo) < 100_000
    assert dict(sent.getexif()) == {}
    # Turned upright, the garment is in the upper right quarter.
    brightness = np.asarray(sent.convert("L"), dtype=float)
    assert brightness[64:240, 240:].std() > 3 * brightness[400:, :200].std()


def test_transparent_parts_are_sent_white(page: Page, page_url: str, stub: Stub, tmp_path: Path) -> None:
    Image.new("RGBA", (100, 60), (0, 0, 0, 0)).save(tmp_path / "cut-out.webp", format="WEBP")
    page.goto(page_url)
    page.set_input_files("#photo", tmp_path / "cut-out.webp")
    results_of(page)
    assert _sent(stub).size == (100, 60)  # never enlarged
    assert _sent(stub).getpixel((50, 30)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Dear Sir or Madam", "Please choose a JPEG, PNG or WebP image"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "cannot open HEIC photos"),
    ],
)
def test_a_file_the_browser_cannot_open_gives_a_plain_message(
    page: Page, page_url: str, site: Site, stub: Stub, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "photo.jpg").write_bytes(content)
    page.goto(page_url)
    page.set_input_files("#photo", tmp_path / "photo.jpg")
    expect(page.get_by_role("alert")).to_contain_text(words)
    expect(page.locator("#retry")).to_be_hidden()
    expect(page.locator("#query, #found").locator("visible=true")).to_have_count(0)  # no grey box, no empty heading
    assert stub.asked == []
    # The next search removes the message.
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#query-image")).to_be_visible()


def test_heic_is_recognized_by_its_brands(page: Page, page_url: str, tmp_path: Path) -> None:
    """The brands of phones' photos, of image sequences and of the bare container; the content counts, not the name."""
    page.goto(page_url)
    for brand in ("heic", "heix", "heim", "hevc", "hevx", "mif1", "msf1", "avif", "isom"):
        (tmp_path / "photo.jpg").write_bytes(b"\0\0\0\x18ftyp" + brand.encode() + bytes(12))
        page.set_input_files("#photo", tmp_path / "photo.jpg")
        words = "Please choose a JPEG" if brand in ("avif", "isom") else "cannot open HEIC photos"
        expect(page.get_by_role("alert")).to_contain_text(words)


def test_a_photo_can_be_dropped(page: Page, page_url: str, site: Site, stub: Stub) -> None:
    page.goto(page_url)
    _load_photo(page, site)
    data = page.evaluate_handle(_DROP, ["dropped.png", "image/jpeg"])
    page.locator("main").dispatch_event("dragover", {"dataTransfer": data})
    expect(page.locator("body.dragging")).to_be_visible()
    page.locator("main").dispatch_event("drop", {"dataTransfer": data})
    results_of(page)
    expect(page.locator("#query-title")).to_have_text("Your photo")
    expect(page.locator("body.dragging")).to_have_count(0)
    letter = page.evaluate_handle(_DROP, ["letter.txt", ""])
    page.locator("main").dispatch_event("drop", {"dataTransfer": letter})
    expect(page.get_by_role("alert")).to_contain_text("cannot open that file")
    assert len(stub.asked) == 1


_SAVE_IT = "That is not a photo. Save or copy the photo itself, then drop or paste it here."


def test_a_link_that_is_dropped_or_an_address_that_is_pasted_gets_an_explanation(
    page: Page, page_url: str, stub: Stub
) -> None:
    page.goto(page_url)
    link = page.evaluate_handle("""() => {
      const data = new DataTransfer();
      data.setData("text/uri-list", "https://shop.example/shirt.jpg");
      return data;
    }""")
    page.locator("main").dispatch_event("drop", {"dataTransfer": link})
    expect(page.get_by_role("status")).to_have_text(_SAVE_IT)
    page.reload()
    expect(page.get_by_role("status")).to_have_text("")
    page.evaluate("navigator.clipboard.writeText('https://shop.example/shirt.jpg')")
    page.keyboard.press("Control+V")
    expect(page.get_by_role("status")).to_have_text(_SAVE_IT)
    assert stub.asked == []


def test_the_focus_follows_a_chosen_photo(page: Page, page_url: str, site: Site) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    assert page.evaluate("document.activeElement.id") == "found-title"


def test_a_button_opens_the_file_chooser(page: Page, page_url: str, site: Site) -> None:
    page.goto(page_url)
    with page.expect_file_chooser() as chosen:
        page.get_by_text("Choose a photo", exact=True).click()
    chosen.value.set_files(site.photos[1])
    results_of(page)


def test_a_photo_can_be_pasted(page: Page, page_url: str, site: Site) -> None:
    page.goto(page_url)
    with Image.open(site.photos[1]) as drawn:
        png = BytesIO()
        drawn.save(png, "PNG")
    page.evaluate(
        """async (bytes) => {
          const image = new Blob([new Uint8Array(bytes)], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": image })]);
        }""",
        list(png.getvalue()),
    )
    page.keyboard.press("Control+V")
    results_of(page)
    expect(page.locator("#query-title")).to_have_text("Your photo")


@PHONE
def test_a_phone_offers_its_camera(page: Page, page_url: str, site: Site) -> None:
    page.goto(page_url)
    expect(page.get_by_text("Take a photo")).to_be_visible()
    sides = "all => all.map(each => [each.getBoundingClientRect().left, each.getBoundingClientRect().top])"
    lefts, tops = zip(*page.eval_on_selector_all(".take .actions .button", sides), strict=True)
    assert list(lefts) == sorted(lefts)  # the camera comes first
    assert len(tops) == 3
    assert len(set(tops)) == 1  # a second row would push the results below the fold
    camera = page.locator("#camera")
    assert camera.get_attribute("capture") == "environment"
    camera.set_input_files(site.photos[3])
    results_of(page)


def test_a_desktop_offers_no_camera(page: Page, page_url: str) -> None:
    page.goto(page_url)
    expect(page.get_by_text("Take a photo")).to_be_hidden()


def test_the_box_keeps_the_originals_pixels_and_is_moved_by_mouse(
    page: Page, page_url: str, stub: Stub, camera_photo: Path
) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", camera_photo)
    results_of(page)
    expect(page.locator("#crop")).to_be_hidden()  # a guess would cut off sleeves
    draw_box(page, (0.9, 0.08), (0.2, 0.85))
    assert _box(page) == pytest.approx((0.2, 0.08, 0.7, 0.77), abs=0.01)
    expect(page.locator("#results .placeholder")).to_have_count(0)
    _pull(page, page.locator("[data-grip=ne]"), 0.2, 0.02)
    _pull(page, page.locator("[data-grip=sw]"), 0.3, -0.47)
    left, top, width, height = _box(page)
    assert (left, top, width, height) == pytest.approx((0.5, 0.1, 0.5, 0.28), abs=0.02)
    expect(page.locator("#results .placeholder")).to_have_count(0)
    # 50 % of 3000 pixels by 28 % of 4000, scaled to 640; cut from the small photo, it would have 240.
    assert _sent(stub).size == pytest.approx((640, 480), abs=30)
    assert max(_sent(stub).size) == 640
    keep_screenshot(page, "page-box")
    asked = len(stub.asked)
    _pull(page, page.locator("[data-grip=all]"), 0, 0.9)
    assert _box(page)[1] == pytest.approx(1 - height, abs=0.01)  # it stops at the edge
    expect(page.get_by_role("status")).to_have_text("The 16 most similar of 84 garments.")
    assert len(stub.asked) == asked + 1
    page.get_by_role("button", name="Use the whole photo").click()
    expect(page.locator("#crop")).to_be_hidden()
    results_of(page)
    assert len(stub.asked) == asked + 1  # the step before is still there


def test_photos_show_in_their_own_shape(page: Page, page_url: str, stub: Stub, site: Site, tmp_path: Path) -> None:
    shape = """() => {
      const { width, height } = document.querySelector("#stage").getBoundingClientRect();
      return width / height;
    }"""
    for size in ((800, 400), (300, 900)):
        Image.new("RGB", size, "teal").save(tmp_path / "photo.png")
        page.goto(page_url)
        page.set_input_files("#photo", tmp_path / "photo.png")
        results_of(page)
        assert page.evaluate(shape) == pytest.approx(size[0] / size[1], rel=0.02)
    Image.new("RGB", (900, 500), "teal").save(tmp_path / "wide.png")
    page.route("**/gallery/**", lambda route: route.fulfill(path=tmp_path / "wide.png"))
    page.click("#random")
    expect(page.locator("#stage")).to_have_css("aspect-ratio", "1.8 / 1")
    assert page.evaluate(shape) == pytest.approx(1.8, rel=0.02)
    results_of(page)
    photo = page.locator("#results img.loaded").first.bounding_box()
    place = page.locator("#results .photo").first.bounding_box()
    assert photo is not None
    assert place is not None
    assert photo["width"] / photo["height"] == pytest.approx(1.8, rel=0.02)  # no bands
    assert photo["width"] == pytest.approx(place["width"], abs=1)
    assert photo["y"] + photo["height"] == pytest.approx(place["y"] + place["height"], abs=1)


def test_only_a_drag_with_the_main_button_searches_again(page: Page, page_url: str, site: Site, stub: Stub) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    draw_box(page, (0.3, 0.3), (0.33, 0.9))
    expect(page.locator("#crop")).to_be_hidden()  # nobody means so narrow a box
    draw_box(page, (0.2, 0.15), (0.8, 0.85))
    results_of(page)
    before, asked = _box(page), len(stub.asked)
    assert asked == 2
    stub.go_on.clear()  # a search would leave placeholders now
    middle = page.locator("[data-grip=all]")
    page.mouse.click(*_middle(page.locator("[data-grip=nw]")))
    _pull(page, middle, 0.1, 0.1, button="right")
    middle.click()
    assert _box(page) == before
    assert page.locator("#results .placeholder").count() == 0
    assert len(stub.asked) == asked
    _pull(page, middle, 0.1, 0.1)
    assert page.locator("#results .placeholder").count() > 0


def test_the_smallest_box(page: Page, page_url: str, site: Site) -> None:
    """The box stays large enough for its grips and the service, and the opposite corner does not move."""
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    page.get_by_role("button", name="Mark the garment").click()
    left, top, width, height = _box(page)
    _pull(page, page.locator("[data-grip=se]"), -0.9, -0.9)
    assert _box(page) == pytest.approx((left, top, 0.08, 0.08), abs=0.001)
    page.get_by_role("button", name="Use the whole photo").click()
    page.get_by_role("button", name="Mark the garment").click()
    _pull(page, page.locator("[data-grip=nw]"), 0.9, 0.9)
    assert _box(page) == pytest.approx((left + width - 0.08, top + height - 0.08, 0.08, 0.08), abs=0.001)
    results_of(page)


def test_the_box_is_moved_and_resized_by_keyboard(page: Page, page_url: str, site: Site, stub: Stub) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    page.get_by_role("button", name="Mark the garment").press("Enter")
    expect(page.locator("[data-grip=all]")).to_be_focused()
    assert _box(page) == (0.05, 0.05, 0.9, 0.9)
    assert len(stub.asked) == 1  # it has yet to be pulled
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert _box(page) == pytest.approx((0.07, 0, 0.9, 0.9), abs=0.001)
    expect(page.locator("#crop-said")).to_have_text("Box from 7 to 97 percent across, 0 to 90 percent down.")
    for _ in range(4):
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+ArrowLeft")
    assert _box(page)[2] == pytest.approx(0.8, abs=0.001)
    with page.expect_response("**/v1/search?*"):
        pass  # the search follows the last key
    assert 1 < len(stub.asked) < 5  # the photo, the box, and the keys, of which a fast machine sends fewer
    page.keyboard.press("Escape")
    expect(page.locator("#crop")).to_be_hidden()
    expect(page.locator("#mark")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    expect(page.locator("#mark")).to_be_focused()


@PHONE
def test_the_box_is_drawn_and_moved_by_a_finger(page: Page, page_url: str, site: Site, stub: Stub) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    _swipe(page, stage["x"] + 20, stage["y"] + 20, 90, 140)
    before = _box(page)
    assert before[2:] == pytest.approx((90 / stage["width"], 140 / stage["height"]), abs=0.02)
    results_of(page)
    _swipe(page, *_middle(page.locator("[data-grip=all]")), 20, 15)
    assert _box(page)[0] > before[0] + 0.05
    assert page.evaluate("scrollY") == 0
    keep_screenshot(page, "page-box-phone")
    results_of(page)
    assert len(stub.asked) <= 3


def test_going_back_to_a_photo_restores_its_box(page: Page, page_url: str, site: Site, stub: Stub) -> None:
    page.goto(page_url)
    page.set_input_files("#photo", site.photos[0])
    results_of(page)
    draw_box(page, (0.2, 0.15), (0.8, 0.85))
    results_of(page)
    box = _box(page)
    page.locator("#results a").first.click()
    results_of(page)
    expect(page.locator("#crop")).to_be_hidden()
    page.go_back()
    results_of(page)
    assert _box(page) == box
    assert len(stub.asked) <= 3


def _load_photo(page: Page, site: Site) -> None:
    page.evaluate("bytes => { window.photo = new Uint8Array(bytes) }", list(site.photos[1].read_bytes()))


def _swipe(page: Page, x: float, y: float, right: float, down: float) -> None:
    """Move a finger by pixels."""
    session = page.context.new_cdp_session(page)
    for event, share in (("touchStart", 0.0), ("touchMove", 0.5), ("touchMove", 1.0)):
        points = [{"x": x + share * right, "y": y + share * down}]
        session.send("Input.dispatchTouchEvent", {"type": event, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def _pull(page: Page, grip: Locator, right: float, down: float, button: Literal["left", "right"] = "left") -> None:
    """Drag a grip by fractions of the photo."""
    stage = page.locator("#stage").bounding_box()
    assert stage is not None
    x, y = _middle(grip)
    page.mouse.move(x, y)
    page.mouse.down(button=button)
    page.mouse.move(x + right * stage["width"], y + down * stage["height"], steps=4)
    page.mouse.up(button=button)


def _middle(of: Locator) -> tuple[float, float]:
    box = of.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _box(page: Page) -> tuple[float, ...]:
    style = page.evaluate(
        "(({ left, top, width, height }) => [left, top, width, height])(document.querySelector('#crop').style)"
    )
    return tuple(float(part.removesuffix("%")) / 100 for part in style)
