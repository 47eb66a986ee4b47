// The shop page of the page cost: the same for every case but for what a case adds to its head and its body's end.
//
// A product list, a button that puts something into the cart, a search field, and GA4's data layer, as shops have. Styles
// are in the page and images have their size, so that any shift of the layout or blocked paint comes from what was added.

const PRODUCTS = 24;
const ITEM = { item_id: 'mug', item_name: 'Harbour mug', price: 24, quantity: 1 };

const STYLE = `
body{margin:0;font:16px/1.5 sans-serif;color:#1b1b1f;background:#fff}
header,main,footer{max-width:1100px;margin:auto;padding:16px}
header{display:flex;gap:16px;align-items:center}
ul{display:grid;grid-template-columns:repeat(4,1fr);gap:16px;padding:0;list-style:none}
li{border:1px solid #d9d9e0;padding:12px}
svg{display:block;width:100%;height:120px;background:#eef}
button,input{min-height:44px;font:inherit;padding:8px 12px}`;

const product = (n) => `<li><svg viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="${2 + (n % 3)}" fill="#1a4fd6"/></svg>
<h2>Mug ${n}</h2><p>Thrown by hand, glazed in the colours of the harbour.</p><p>€${20 + n}.00</p></li>`;

/** The page as HTML. */
export const page = ({ head = '', end = '' }) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Shop</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"><style>${STYLE}</style>
<script>dataLayer=[{event:'view_item',ecommerce:{currency:'EUR',value:24,items:[${JSON.stringify(ITEM)}]}}]</script>
${head}</head><body><header><h1>Wendle Pottery</h1><label>Search <input id="search" autocomplete="off"></label>
<button id="add" type="button">Add to cart</button><output id="count">0</output></header>
<main><ul>${Array.from({ length: PRODUCTS }, (_, n) => product(n)).join('')}</ul></main><footer>Returns within 30 days</footer>
<script>addEventListener('click',(e)=>{if(e.target.id!=='add')return;const n=document.getElementById('count');n.textContent=+n.textContent+1;
dataLayer.push({event:'add_to_cart',ecommerce:{currency:'EUR',value:24,items:[${JSON.stringify(ITEM)}]}})})</script>
${end}</body></html>`;
