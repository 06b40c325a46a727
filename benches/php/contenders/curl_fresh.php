<?php

declare(strict_types=1);

require_once __DIR__ . '/request.php';

/** A cURL handle for each message, as CRMEB's clients make one: each connects, shakes hands and loads the trust store. */
return static function (array $settings): callable {
    return static fn (string $openid): int
        => Request::post(curl_init(), Request::url($settings), Request::body($settings, $openid))['errcode'];
};
