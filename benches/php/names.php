<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** What the contenders are called in the tables. */
final class Names
{
    /** @var array<string, array{string, string}> */
    public const OF = [
        'none' => ['(no send)', '（不发送）'],
        'curl_fresh' => ['cURL, a fresh handle each (CRMEB\'s way)', 'cURL，每次新建句柄（CRMEB 的方式）'],
        'two_requests' => ['cURL, token and message (EasyWeChat, cold cache)', 'cURL，先取 token 再发送（EasyWeChat，缓存为空）'],
        'curl_kept' => ['cURL, a kept handle', 'cURL，保留句柄'],
        'socket_kept' => ['`pfsockopen`, kept alive, bare request', '`pfsockopen` 长连接，只发请求'],
        'curl_multi' => ['`curl_multi`', '`curl_multi`'],
        'wrk' => ['`wrk` (the ceiling)', '`wrk`（上限）'],
        'extension off' => ['extension, `store = off`', '扩展，`store = off`'],
        'extension sqlite' => ['extension, SQLite', '扩展，SQLite'],
        'extension sqlite, key' => ['extension, SQLite, with a `key`', '扩展，SQLite，带 `key`'],
        'extension redis' => ['extension, Redis on this host (`appendfsync always`)', '扩展，本机 Redis（`appendfsync always`）'],
        'ffi off' => ['FFI, `store = off`', 'FFI，`store = off`'],
        'ffi sqlite' => ['FFI, SQLite', 'FFI，SQLite'],
        'ffi sqlite, key' => ['FFI, SQLite, with a `key`', 'FFI，SQLite，带 `key`'],
    ];
}
