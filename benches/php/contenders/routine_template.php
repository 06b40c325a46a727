<?php

declare(strict_types=1);

/**
 * RoutineTemplate, the extension or the FFI classes, whichever this PHP has. The account and the store stand in php.ini; with `keyed`
 * each message has a key, so that a second send of it would be known.
 */
return static function (array $settings): callable {
    if (isset($settings['ffi'])) {
        require_once $settings['ffi'];
    }
    [$template, $data, $keyed] = [$settings['template_id'], $settings['data'], $settings['keyed']];
    return static function (string $openid) use ($template, $data, $keyed): int {
        $options = $keyed ? ['key' => bin2hex(random_bytes(8))] : [];
        return RoutineTemplate::send($openid, $template, $data, null, $options)['errcode'];
    };
};
