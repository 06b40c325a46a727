<?php

declare(strict_types=1);

// What the try-*.php scripts share: the lines of their report, and the fake WeChat, whose addresses are in $ready.

use EasyWeChat\Core\Http;
use RoutineTemplate\Crmeb\Account;

$failures = 0;

/** Ends the script in words: nothing was tried, which must not look like success. */
function stop(string $why): void
{
    fwrite(STDERR, $why . "\n");
    exit(1);
}

/** What has to be there before anything can be tried: the adapters, the database, the shop's own AppIDs. */
function requireShop(array $settings, callable $query): void
{
    if (!class_exists(Account::class)) {
        stop('商城里没有 extend/RoutineTemplate/Crmeb：请先复制 common / the shop has no extend/RoutineTemplate/Crmeb: copy common first');
    }
    try {
        // CRMEB's sys_config() takes a database that is down for a setting that is empty.
        $query('SELECT 1');
    } catch (Throwable $failure) {
        stop('商城的数据库连不上 / the shop\'s database cannot be reached：' . $failure->getMessage());
    }
    foreach ($settings as $setting) {
        if (Account::setting($setting) === '') {
            stop("请先在后台填写 AppID 和 AppSecret（{$setting}；任意值即可，不会联系微信） / fill in AppID and AppSecret in the shop first");
        }
    }
}

/** One line of the report; a seam that was not patched is no failure. */
function seam(string $name, callable $try): void
{
    global $failures;
    try {
        $seen = $try();
        echo str_pad($seen === null ? '-' : 'ok', 6), str_pad($name, 22), $seen ?? '没有打补丁 / not patched', "\n";
    } catch (Throwable $wrong) {
        $failures++;
        echo 'FAIL  ', str_pad($name, 22), get_class($wrong), ': ', $wrong->getMessage(), ' (', basename($wrong->getFile()), ':',
            $wrong->getLine(), ")\n";
    }
}

function expect(bool $true, string $what): void
{
    if (!$true) {
        throw new RuntimeException('expected: ' . $what);
    }
}

/** Whether a file of the shop calls one of the adapters. */
function isPatched(string $class, string $adapter): bool
{
    return strpos((string)file_get_contents((string)(new ReflectionClass($class))->getFileName()), 'RoutineTemplate\\Crmeb\\' . $adapter) > 0;
}

function admin(string $action, array $body): array
{
    global $ready;
    $context = stream_context_create(['http' => [
        'method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => json_encode((object)$body), 'timeout' => 15,
    ]]);
    return json_decode((string)file_get_contents($ready['http'] . '/__admin/' . $action, false, $context), true) ?: [];
}

/** The messages that the fake WeChat accepted. */
function accepted(string $openid): array
{
    global $ready;
    $answer = (string)file_get_contents($ready['http'] . '/__admin/messages?' . http_build_query(['openid' => $openid]));
    return json_decode($answer, true)['messages'];
}

function template(string $appid, string $openid, string $content, int $grants): string
{
    $id = substr(strtr(base64_encode(random_bytes(33)), '+/', '_-'), 0, 43);
    admin('template', ['appid' => $appid, 'template_id' => $id, 'title' => '试用', 'content' => $content, 'type' => 2]);
    if ($grants > 0) {
        admin('grant', compact('appid', 'openid') + ['template_id' => $id, 'result' => 'accept', 'count' => $grants]);
    }
    return $id;
}

/** EasyWeChat's own requests go to the fake WeChat, too. */
function redirectEasyWeChat(): void
{
    global $ready;
    $to = parse_url($ready['http']);
    Http::setDefaultOptions(['timeout' => 5.0, 'handler' => static function (callable $next) use ($to) {
        return static function ($request, array $options) use ($next, $to) {
            $uri = $request->getUri()->withScheme('http')->withHost($to['host'])->withPort($to['port']);
            return $next($request->withUri($uri), $options);
        };
    }]);
}
