<?php

declare(strict_types=1);

require_once __DIR__ . '/../contenders/request.php';

/** One cURL handle, one message after another. */
return static function (array $settings): callable {
    $send = (require __DIR__ . '/../contenders/curl_kept.php')($settings);
    return static function (int $count) use ($send): void {
        foreach (Bulk::openids($count) as $openid) {
            if ($send($openid) !== 0) {
                throw new RuntimeException('a message was refused');
            }
        }
    };
};
