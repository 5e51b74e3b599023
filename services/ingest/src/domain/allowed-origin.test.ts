import { describe, expect, it } from 'vitest'
import { isOriginAllowed } from './allowed-origin.ts'

const ALLOWED = ['https://shop.example', 'http://localhost:3000', 'https://*.pages.example', 'https://*.port.example:8443']

describe('an origin', () => {
  it('may send when it is in the list, or below a name with *', () => {
    const fine = ['https://shop.example', 'HTTPS://Shop.example', 'http://localhost:3000', 'https://a.pages.example', 'https://a.b.pages.example', 'https://a.port.example:8443']
    expect(fine.map((origin) => isOriginAllowed(origin, ALLOWED))).toEqual(fine.map(() => true))
  })

  it('may not send otherwise, however alike it looks', () => {
    const others = [
      'http://shop.example', 'https://shop.example:8443', 'https://www.shop.example', 'https://shop.example.evil.example', 'http://localhost', 'null', '',
      'https://pages.example', 'https://.pages.example', 'https://evilpages.example', 'http://a.pages.example', 'https://a.pages.example:444', 'https://evil.example/.pages.example',
      'https://user@a.pages.example', 'https://a.port.example',
    ]
    expect(others.filter((origin) => isOriginAllowed(origin, ALLOWED))).toEqual([])
  })

  it('is of no matter where no list is set, or no page asks', () => {
    expect([isOriginAllowed('https://any.example', []), isOriginAllowed('null', []), isOriginAllowed(undefined, ALLOWED)]).toEqual([true, true, true])
  })
})
