/** What the shop of the demo sells: tea and what one drinks it from. Prices in fen (1/100 yuan). */
export interface Product {
  readonly id: string
  readonly name: string
  readonly category: string
  readonly priceFen: number
  /** How often it is looked at, beside the others. */
  readonly weight: number
}

const product = (id: string, name: string, category: string, yuan: number, weight: number): Product => ({
  id,
  name,
  category,
  priceFen: Math.round(yuan * 100),
  weight,
})

export const PRODUCTS: readonly Product[] = [
  product('tea-01', '明前龙井 50g', '绿茶', 168, 9),
  product('tea-02', '碧螺春 100g', '绿茶', 129, 6),
  product('tea-03', '正山小种 125g', '红茶', 98, 8),
  product('tea-04', '滇红金芽 100g', '红茶', 118.5, 5),
  product('tea-05', '铁观音 清香型 250g', '乌龙茶', 139, 7),
  product('tea-06', '凤凰单丛 鸭屎香', '乌龙茶', 209, 6),
  product('tea-07', '熟普 小青柑 12颗', '普洱', 79.9, 9),
  product('tea-08', '古树生普 357g', '普洱', 388, 3),
  product('tea-09', '茉莉花茶 三窨', '花茶', 59.9, 8),
  product('tea-10', 'Earl Grey Breakfast Tin', '红茶', 88, 4),
  product('cup-01', 'Pour-over Kettle 600 ml', '茶具', 259, 4),
  product('cup-02', '旅行茶具套装', '茶具', 199, 6),
  product('cup-03', '龙泉青瓷品茗杯', '茶具', 49, 7),
  product('cup-04', 'Double-wall Glass Mug', '茶具', 39.9, 6),
  product('cup-05', '紫砂壶 西施 200cc', '茶具', 699, 2),
  product('snk-01', '绿豆糕 礼盒', '茶点', 45, 7),
  product('snk-02', '桂花酥 8枚', '茶点', 36.8, 6),
  product('snk-03', 'Butter Shortbread', '茶点', 32, 4),
  product('box-01', '四季茶礼 Gift Box', '礼盒', 328, 4),
  product('box-02', '中秋联名礼盒', '礼盒', 458, 2),
]

export interface Touch {
  readonly referrer: string
  readonly campaign: { readonly source: string; readonly medium: string; readonly name: string } | null
}

const touch = (referrer: string, source?: string, medium = '', name = ''): Touch => ({
  referrer,
  campaign: source ? { source, medium, name } : null,
})

/** How people come, and how often. */
export const TOUCHES: readonly (readonly [Touch, number])[] = [
  [touch(''), 26],
  [touch('https://www.baidu.com/'), 14],
  [touch('https://www.google.com/'), 7],
  [touch('https://www.xiaohongshu.com/', 'xiaohongshu', 'kol', '春茶上新'), 18],
  [touch('https://mp.weixin.qq.com/', 'wechat', 'social', '会员日'), 15],
  [touch('https://www.douyin.com/', 'douyin', 'video', '主播推荐'), 10],
  [touch('https://www.google.com/', 'google', 'cpc', 'oolong-brand'), 5],
  [touch('', 'newsletter', 'email', 'monthly-letter'), 5],
]

export interface Device {
  readonly name: string
  readonly userAgent: string
  readonly locale: string
  readonly screen: { readonly width: number; readonly height: number }
}

export const PHONES: readonly Device[] = [
  {
    name: 'iPhone',
    userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1',
    locale: 'zh-CN',
    screen: { width: 393, height: 852 },
  },
  {
    name: 'Android',
    userAgent: 'Mozilla/5.0 (Linux; Android 15; 24031PN0DC) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36',
    locale: 'zh-CN',
    screen: { width: 412, height: 915 },
  },
]
export const COMPUTERS: readonly Device[] = [
  {
    name: 'Windows',
    userAgent: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
    locale: 'zh-CN',
    screen: { width: 1920, height: 1080 },
  },
  {
    name: 'Mac',
    userAgent: 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
    locale: 'en-GB',
    screen: { width: 1512, height: 982 },
  },
]

export const FAMILY_NAMES: readonly string[] = [...'王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁宋谢唐许邓冯韩曹曾']
export const GIVEN_NAMES: readonly string[] = [
  '伟', '芳', '娜', '敏', '静', '丽', '强', '磊', '军', '洋', '艳', '勇', '杰', '娟', '涛', '明', '超', '秀英', '霞', '平',
  '雨桐', '梓涵', '浩然', '子墨', '欣怡', '思远', '若溪', '一诺', '晨曦', '嘉豪', '诗涵', '俊杰', '雅琪', '天宇', '佳宁', '书瑶',
]
export const ENGLISH_NAMES: readonly string[] = [
  'Olivia Bennett', 'Liam Carter', 'Emma Hughes', 'Noah Fischer', 'Ava Morgan', 'Lucas Meyer', 'Mia Rossi', 'Ethan Clarke', 'Sofia Martin', 'Henry Walsh',
  'Chloe Dubois', 'Daniel Novak', 'Grace Turner', 'Leo Andersson', 'Hannah Weber', 'Oscar Nilsen', 'Ruby Evans', 'Samuel Price', 'Clara Jensen', 'Max Keller',
]
export const CITIES: readonly (readonly [string, number])[] = [
  ['上海', 20], ['北京', 17], ['杭州', 14], ['深圳', 12], ['广州', 11], ['成都', 10], ['苏州', 6], ['武汉', 6], ['Singapore', 2], ['London', 2],
]
