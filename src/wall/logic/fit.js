// How tiles fill the screen: as large as they can be with all of them in view, and how wide the
// pictures are then asked for.

export const GAP = 8
/** Below this a picture says nothing: then the page scrolls. */
const LEAST = 120
/** Above this the picture is mostly pixels. */
const MOST = 960
const RATIO = 9 / 16
/** Widths that pictures are asked for in: few, so that caches on the way are of use. */
const WIDTHS = [160, 240, 320, 480, 640, 960, 1280, 1920]

/** The columns for `count` tiles on a screen of `width` by `height`, each with a caption below. */
export function columnsFor({ count, width, height, caption }) {
  const most = Math.max(1, Math.floor((width + GAP) / (LEAST + GAP)))
  const least = Math.max(1, Math.ceil((width + GAP) / (MOST + GAP)))
  for (let columns = least; columns < most; columns += 1) {
    const tile = (width - GAP * (columns - 1)) / columns
    const rows = Math.ceil(count / columns)
    if (rows * (tile * RATIO + caption + GAP) - GAP <= height) return columns
  }
  return most
}

/** The width to ask a picture in. */
export function pictureWidth(cssPixels, density) {
  const wanted = cssPixels * Math.min(density, 2)
  return WIDTHS.find((width) => width >= wanted * 0.9) ?? WIDTHS.at(-1)
}
