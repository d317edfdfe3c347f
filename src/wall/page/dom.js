// The little that the page needs to build elements. Text is always set as text: nothing that came
// in a body is ever read as markup.

/**
 * `props` are properties; names with a dash are attributes.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, props = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) {
    if (name.includes('-')) element.setAttribute(name, value)
    else element[name] = value
  }
  element.append(...children)
  return element
}

/** An element of the page, of whatever kind. @returns {any} */
export const byId = (id) => document.getElementById(id)

/** Writes only what changed: an unchanged text costs no layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text
}

export function setData(element, name, value) {
  if (element.dataset[name] !== value) element.dataset[name] = value
}
