// The keyboard. What each key does is listed in index.html, under `?`.

/** Calls what is bound to a key where the viewer is, unless somebody is typing. */
export function listenToKeys(bindings, place) {
  addEventListener('keydown', (event) => {
    const { target, key } = event
    if (event.ctrlKey || event.metaKey || event.altKey || !(target instanceof HTMLElement)) return
    if (target.closest('input, select, textarea, pre, .wide')) {
      if (key === 'Escape') target.blur()
      return
    }
    const act = bindings[place()]?.[key]
    if (act === undefined) return
    event.preventDefault()
    act(key)
  })
}
