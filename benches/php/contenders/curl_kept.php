<?php

declare(strict_types=1);

require_once __DIR__ . '/request.php';

/** One cURL handle for as long as PHP lets it live: the process on the command line, one request under php-fpm. */
return static function (array $settings): callable {
    $handle = curl_init();
    return static fn (string $openid): int
        => Request::post($handle, Request::url($settings), Request::body($settings, $openid))['errcode'];
};
