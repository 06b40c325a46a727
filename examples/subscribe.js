// 小程序（原生或 uni-app）里请用户授权订阅消息，并把结果交给店铺：复制本文件，不需要别的依赖。服务端见 grants.php。
// Asks the user of a mini program (native or uni-app) for subscribe messages and gives the result to the shop: copy this file,
// it needs nothing else. The server's side is grants.php.
//
//   import { createSubscription } from './subscribe.js';
//   const subscription = createSubscription({
//     fetchTemplates: (keys) => get('/grants', { keys: keys.join(',') }),   // => Promise<string[]>
//     report: (body) => post('/grants', body),                             // => Promise, rejected with { status } if refused
//   });
//   onShow() { subscription.prepare(['order_pay_success', 'order_deliver_success']); },
//   onPayTap() { subscription.ask().then(() => this.pay()); },             // 点击处理函数的第一句，前面不能有 await
//
// wx.requestSubscribeMessage 只能在点击（或支付回调）里调用，之前有 await 就会失败，所以模板 ID 要提前用 prepare() 取好。
// It may be called in a tap (or payment callback) only, and an `await` before it loses the tap, so prepare() has the ids at hand.

const STORAGE_KEY = 'routine_template_reports';
const MOST_REPORTS = 20;

// errCode of wx.requestSubscribeMessage: what it means, and what the page can do.
const FAILURES = {
  10001: '没有模板 ID：先调用 prepare() / no template ids: call prepare() first',
  10002: '网络问题，下次点击再试 / network, ask again at the next tap',
  10003: '网络问题，下次点击再试 / network, ask again at the next tap',
  10004: '模板 ID 不是字符串 / a template id is not a string',
  10005: '小程序在后台，无法弹窗 / the mini program is in the background',
  20001: '模板不存在或属于别的小程序，请检查后台的模板 / a template does not exist or belongs to another mini program',
  20002: '一次性与长期模板不能一起请求 / one-time and long-term templates cannot be asked for together',
  20003: '模板太多，下次减少 / too many templates, fewer the next time',
  20004: '用户关闭了订阅消息总开关，可引导到 wx.openSetting / the user has switched all off, wx.openSetting leads there',
  20005: '小程序被禁止使用订阅消息 / the mini program is banned from subscribe messages',
};

// 服务端说内容不对（400、403、404 等）：再报也没用。
// The server says that it is wrong; to report it again would not help.
function isFinal(error) {
  const status = Number(error && (error.status || error.statusCode)) || 0;
  return status >= 400 && status < 500 && ![401, 408, 429].includes(status);
}

export function createSubscription({ fetchTemplates, report }) {
  let keys = [];
  let ids = [];
  let most = 5;
  let asking = null;
  let delivering = null;

  // 取好下一次要请求的模板；在 onShow 里调用。失败时保留原来的。
  // Gets the ids for the next tap ready; call it in onShow. If that fails, those at hand stay.
  async function prepare(wantedKeys) {
    keys = wantedKeys || keys;
    await deliver();
    try {
      const fetched = await fetchTemplates(keys);
      ids = Array.isArray(fetched) ? fetched.filter((id) => typeof id === 'string' && id !== '') : ids;
    } catch (error) {
      console.warn('subscribe: no template ids', error);
    }
  }

  // 在点击处理函数里直接调用。总会成功返回，不会挡住下单：{ result, failure }，failure 为 null 或 { code, text, openSettings }。
  // Call it first in a tap handler. It always resolves, so it never stands in the way of an order.
  function ask() {
    if (asking) {
      return asking; // 上一个弹窗还没关 / "last call has not ended"
    }
    const tmplIds = ids.slice(0, most);
    if (tmplIds.length === 0 || typeof wx === 'undefined' || !wx.requestSubscribeMessage) {
      return Promise.resolve({ result: null, failure: null });
    }
    asking = new Promise((resolve) => {
      wx.requestSubscribeMessage({
        tmplIds,
        success: (result) => {
          resolve({ result, failure: null });
          remember(result);
        },
        fail: (error) => {
          const code = Number(error && error.errCode) || 0;
          if (code === 20003) {
            most = tmplIds.length > 3 ? 3 : 1; // 旧版微信最多 3 个，更旧的 1 个 / older clients take 3, still older ones 1
          }
          const text = FAILURES[code] || (error && error.errMsg) || '';
          console.warn(`subscribe: ${code} ${text}`);
          resolve({ result: null, failure: { code, text, openSettings: code === 20004 } });
        },
      });
    }).catch((error) => ({ result: null, failure: { code: 0, text: String(error), openSettings: false } })).then((answer) => {
      asking = null;
      prepare(); // 不等待 / not waited for
      return answer;
    });
    return asking;
  }

  // 结果先存在本地再上报：没有网络也不会丢；click_id 让重复上报只算一次。
  // Kept before it is reported, so no network loses nothing; with click_id a report that arrives twice counts once.
  function remember(result) {
    const clickId = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 12)}`;
    const reports = stored();
    reports.push({ click_id: clickId, result });
    wx.setStorageSync(STORAGE_KEY, reports.slice(-MOST_REPORTS));
  }

  function stored() {
    const reports = wx.getStorageSync(STORAGE_KEY);
    return Array.isArray(reports) ? reports : [];
  }

  // 逐条上报，失败的留到下次。
  // Reports one after another; what fails waits for the next time.
  function deliver() {
    if (delivering || typeof wx === 'undefined' || !wx.getStorageSync) {
      return delivering || Promise.resolve();
    }
    const run = async () => {
      for (let next = stored()[0]; next; next = stored()[0]) {
        try {
          await report(next);
        } catch (error) {
          if (!isFinal(error)) {
            console.warn('subscribe: the report waits', error);
            return;
          }
          console.warn('subscribe: the report is refused', error);
        }
        wx.setStorageSync(STORAGE_KEY, stored().filter((other) => other.click_id !== next.click_id));
      }
    };
    delivering = run().then(() => {
      delivering = null;
    });
    return delivering;
  }

  return { prepare, ask, deliver };
}
