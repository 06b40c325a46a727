<?php

declare(strict_types=1);

/** One call of RoutineTemplate, whichever face this PHP has. */
return static function (array $settings): callable {
    if (isset($settings['ffi'])) {
        require_once $settings['ffi'];
    }
    [$template, $data] = [$settings['template_id'], $settings['data']];
    $calls = [
        'version' => static function (): int {
            RoutineTemplate::version();
            return 0;
        },
        'validate' => static fn (): int => count(RoutineTemplate::validate($template, $data)),
        'send' => static fn (string $openid): int => RoutineTemplate::send($openid, $template, $data)['errcode'],
        'queue' => static fn (string $openid): int => RoutineTemplate::queue($openid, $template, $data) === '' ? 1 : 0,
    ];
    return $calls[$settings['method']];
};
