// How tiles fill the screen, and how wide their pictures are asked for.

export const GAP = 8
/** Below a picture. */
const CAPTION = 46
/** Narrower, a picture says nothing: then the page scrolls. */
const LEAST = 112
const MOST = 960
const WIDTHS = [160, 240, 320, 480, 640, 960, 1280, 1920]

/** The fewest columns with which all tiles are in view. */
export function columnsFor(count, width, height) {
	const most = Math.max(1, Math.floor((width + GAP) / (LEAST + GAP)))
	for (let columns = Math.ceil((width + GAP) / (MOST + GAP)); columns < most; columns += 1) {
		const tile = (width - GAP * (columns - 1)) / columns
		const rows = Math.ceil(count / columns)
		if (rows * ((tile * 9) / 16 + CAPTION + GAP) - GAP <= height) return columns
	}
	return most
}

export function pictureWidth(cssPixels, density) {
	const wanted = cssPixels * Math.min(density, 2) * 0.9
	return WIDTHS.find((width) => width >= wanted) ?? 1920
}
