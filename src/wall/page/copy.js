// Puts text on the clipboard, and says on the button how that went.
import { el, setText } from './dom.js'

export async function copyText(text, button) {
  const words = button.textContent
  const isCopied = await navigator.clipboard?.writeText(text).then(() => true, () => false)
  setText(button, isCopied || copyBySelection(text, button) ? 'Copied' : 'Not copied')
  setTimeout(() => setText(button, words), 2000)
}

/** Over plain HTTP, browsers have no other clipboard than this one. */
function copyBySelection(text, button) {
  const area = el('textarea', { value: text, className: 'unseen' })
  button.after(area)
  area.select()
  const isCopied = document.execCommand('copy')
  area.remove()
  button.focus()
  return isCopied
}
