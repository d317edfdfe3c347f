// Where the pictures of events come from.
import { readImageSource } from '../../core/events/picture.ts'
import { Problem } from '../../core/problem.ts'
import { setting } from '../setting.ts'

export const IMAGE_SETTINGS = {
  images: setting({
    env: 'SNAPHOOK_IMAGES',
    default: 'off',
    read: (text) => {
      const source = readImageSource(text)
      return typeof source === 'string' ? new Problem(source) : source
    },
    about: 'where pictures come from: `oss:BUCKET,BUCKET…`, or a URL template',
  }),
}
