// A moment as an element: in the zone of the viewer, with the exact UTC on hover.
import { localTime, utcTime } from '../logic/ages.js'
import { serviceNow } from './api.js'
import { el } from './dom.js'

export function timeElement(iso) {
  const at = Date.parse(iso)
  return el('time', { dateTime: iso, title: utcTime(at) }, localTime(at, serviceNow()))
}
