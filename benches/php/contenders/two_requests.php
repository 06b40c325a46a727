<?php

declare(strict_types=1);

require_once __DIR__ . '/request.php';

/**
 * The way of EasyWeChat where its cache is cold: a request for a token, then the message, each with a handle of its own. That is every
 * message where the cache is none or is emptied, and one message in two hours where it works.
 */
return static function (array $settings): callable {
    return static function (string $openid) use ($settings): int {
        $answer = Request::post(curl_init(), $settings['https'] . '/cgi-bin/stable_token', (string) json_encode([
            'grant_type' => 'client_credential', 'appid' => $settings['appid'], 'secret' => $settings['secret'],
        ]));
        $url = Request::url($settings, $answer['access_token']);
        return Request::post(curl_init(), $url, Request::body($settings, $openid))['errcode'];
    };
};
