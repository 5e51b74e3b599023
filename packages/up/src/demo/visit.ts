import { PRODUCTS, TOUCHES, type Product, type Touch } from './catalogue.ts'
import type { ShopChance } from './chance.ts'
import type { OwnDevice, Person } from './person.ts'

/** One message in Segment's shape, and when it is sent (late events: well after they happened). */
export interface Message {
  readonly sentAt: number
  readonly body: Readonly<Record<string, unknown>> & { readonly messageId: string; readonly type: string; readonly timestamp: string }
}

/** What all messages of a visit share. */
interface Visit {
  readonly person: Person
  readonly device: OwnDevice
  readonly touch: Touch | null
  readonly signedIn: boolean
  readonly sessionId: string
}

/** Collects the messages of one visit while its time passes. */
class Script {
  readonly messages: Message[] = []
  private readonly chance: ShopChance
  private readonly visit: Visit
  private at: number
  private signedIn: boolean

  constructor(chance: ShopChance, visit: Visit, startsAt: number) {
    this.chance = chance
    this.visit = visit
    this.at = startsAt
    this.signedIn = visit.signedIn
  }

  signIn(): void {
    this.signedIn = true
    const { name, city, mobile } = this.visit.person
    this.add('identify', { traits: { name, city, mobile, tier: tierOf(this.visit.person) } })
  }

  page(name: string, path: string): void {
    this.add('page', { name, properties: { path, url: `https://shop.example/${path}`, title: name, referrer: this.visit.touch?.referrer ?? '' } })
  }

  track(event: string, properties: Readonly<Record<string, unknown>>): void {
    this.add('track', { event, properties })
  }

  /** Time passes before the next message. */
  wait(secondsMax: number): void {
    this.at += this.chance.int(2_000, secondsMax * 1000)
  }

  private add(type: string, content: Readonly<Record<string, unknown>>): void {
    const { person, device } = this.visit
    this.messages.push({
      sentAt: this.at,
      body: {
        type,
        messageId: `demo-${this.chance.hex(16)}`,
        anonymousId: device.anonymousId,
        ...(this.signedIn ? { userId: person.userId } : {}),
        ...content,
        timestamp: new Date(this.at).toISOString(),
        channel: 'web',
        context: contextOf(this.visit),
      },
    })
    this.wait(70)
  }
}

/** The messages of one visit to the web shop, in order. */
export const webVisit = (chance: ShopChance, person: Person, nth: number, startsAt: number): readonly Message[] => {
  const visit: Visit = {
    person,
    device: nth > person.signsInOnVisit && chance.happens(0.3) ? person.devices.at(-1)! : person.devices[0]!,
    touch: nth === 1 ? person.firstTouch : chance.happens(0.4) ? chance.weighted(TOUCHES) : null,
    signedIn: person.kind === 'member' && nth > person.signsInOnVisit,
    sessionId: `s-${chance.hex(12)}`,
  }
  const script = new Script(chance, visit, startsAt)
  if (nth === 1 || chance.happens(0.5)) script.page('首页 Home', '')
  if (person.kind === 'member' && nth === person.signsInOnVisit) script.signIn()
  // On a device of one's own that was never seen before, the sign-in links it at once.
  else if (visit.signedIn && visit.device !== person.devices[0]) script.signIn()
  browse(chance, script, person)
  return script.messages
}

const browse = (chance: ShopChance, script: Script, person: Person): void => {
  const cart: Line[] = []
  for (let left = chance.times(3.1, 9); left > 0; left--) {
    const product = chance.weighted(SHELF)
    script.track('Product Viewed', describe(product))
    if (!chance.happens(person.appetite * 0.3)) continue
    const line = { product, quantity: chance.times(1.2, 4) }
    cart.push(line)
    script.track('Product Added', { ...describe(product), quantity: line.quantity })
  }
  if (cart.length > 0 && chance.happens(0.3 + person.appetite * 0.4)) checkOut(chance, script, cart)
}

interface Line {
  readonly product: Product
  readonly quantity: number
}

const checkOut = (chance: ShopChance, script: Script, cart: readonly Line[]): void => {
  const orderId = `W${chance.hex(10)}`
  script.track('Checkout Started', { order_id: orderId, value: yuan(totalOf(cart)), currency: 'CNY' })
  if (!chance.happens(0.74)) return
  script.track('Order Completed', { order_id: orderId, revenue: yuan(totalOf(cart)), currency: 'CNY', products: cart.map(orderLine) })
}

/** A purchase at the counter of the shop, told by its till: no device, the number of the member's card. */
export const counterVisit = (chance: ShopChance, person: Person, nth: number, at: number): readonly Message[] => {
  const cart = Array.from({ length: chance.times(1.7, 5) }, (): Line => ({ product: chance.weighted(SHELF), quantity: chance.times(1.3, 4) }))
  const message = (type: string, offset: number, content: Readonly<Record<string, unknown>>): Message => ({
    sentAt: at + offset,
    body: {
      type,
      messageId: `demo-${chance.hex(16)}`,
      userId: person.userId,
      ...content,
      timestamp: new Date(at + offset).toISOString(),
      channel: 'counter',
      context: { library: { name: 'till', version: '4.2' }, locale: 'zh-CN', timezone: 'Asia/Shanghai' },
    },
  })
  const card = message('identify', 0, { traits: { name: person.name, city: person.city, mobile: person.mobile, tier: tierOf(person) } })
  const order = { order_id: `C${chance.hex(10)}`, revenue: yuan(totalOf(cart)), currency: 'CNY', store: '杭州湖滨店', products: cart.map(orderLine) }
  const sale = message('track', 1000, { event: 'Order Completed', properties: order })
  return nth === 1 ? [card, sale] : [sale]
}

/** Some orders come back some days later, whole. */
export const refundOf = (chance: ShopChance, order: Message, at: number): Message => {
  const { order_id, revenue, currency } = order.body['properties'] as Record<string, unknown>
  const { event: _event, ...rest } = order.body as Record<string, unknown>
  const properties = { order_id, total: revenue, currency, reason: chance.pick(['七天无理由', '破损', 'Wrong size']) }
  const timestamp = new Date(at).toISOString()
  const body = { ...rest, type: 'track', messageId: `demo-${chance.hex(16)}`, event: 'Order Refunded', properties, timestamp }
  return { sentAt: at, body }
}

const SHELF: readonly (readonly [Product, number])[] = PRODUCTS.map((product) => [product, product.weight] as const)

const describe = ({ id, name, category, priceFen }: Product): Readonly<Record<string, unknown>> => ({
  product_id: id,
  name,
  category,
  price: yuan(priceFen),
  currency: 'CNY',
})
const orderLine = ({ product, quantity }: Line): Readonly<Record<string, unknown>> => ({ ...describe(product), quantity })
const totalOf = (cart: readonly Line[]): number => cart.reduce((sum, { product, quantity }) => sum + product.priceFen * quantity, 0)
const yuan = (fen: number): number => fen / 100
const tierOf = (person: Person): string => (person.appetite > 0.7 ? 'gold' : person.appetite > 0.45 ? 'silver' : 'basic')

const contextOf = ({ device, touch, sessionId }: Visit): Readonly<Record<string, unknown>> => ({
  library: { name: 'analytics.js', version: '4.1.0' },
  userAgent: device.userAgent,
  locale: device.locale,
  timezone: 'Asia/Shanghai',
  screen: device.screen,
  sessionId,
  page: { path: '/', referrer: touch?.referrer ?? '' },
  ...(touch?.campaign ? { campaign: touch.campaign } : {}),
})
