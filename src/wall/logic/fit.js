// How tiles fill the screen: as large as they can be with all of them in view, and how wide the pictures
// are then asked for.

export const GAP = 8
/** Narrower, a picture says nothing: then the page scrolls. Wider, it is mostly pixels. */
const LEAST = 112
const MOST = 960
/** Few, so that caches on the way are of use. */
const WIDTHS = [160, 240, 320, 480, 640, 960, 1280, 1920]

/** The columns for `count` tiles on a screen of `width` by `height`, each with a caption below. */
export function columnsFor({ count, width, height, caption }) {
	const most = Math.max(1, Math.floor((width + GAP) / (LEAST + GAP)))
	for (let columns = Math.ceil((width + GAP) / (MOST + GAP)); columns < most; columns += 1) {
		const tile = (width - GAP * (columns - 1)) / columns
		const rows = Math.ceil(count / columns)
		if (rows * ((tile * 9) / 16 + caption + GAP) - GAP <= height) return columns
	}
	return most
}

/** The width to ask a picture in. */
export function pictureWidth(cssPixels, density) {
	const wanted = cssPixels * Math.min(density, 2) * 0.9
	return WIDTHS.find((width) => width >= wanted) ?? 1920
}
