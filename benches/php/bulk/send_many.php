<?php

declare(strict_types=1);

/** RoutineTemplate::sendMany(), which takes the messages from a generator and hands out each answer as it comes. */
return static function (array $settings): callable {
    if (isset($settings['ffi'])) {
        require_once $settings['ffi'];
    }
    return static function (int $count) use ($settings): void {
        $messages = (static function () use ($settings, $count): iterable {
            foreach (Bulk::openids($count) as $openid) {
                yield [$openid, $settings['template_id'], $settings['data']];
            }
        })();
        $summary = RoutineTemplate::sendMany($messages, [
            'concurrency' => $settings['concurrency'],
            'each' => static function (array $answer): void {
            },
        ]);
        if ($summary['delivered'] !== $count) {
            throw new RuntimeException((string) json_encode($summary));
        }
    };
};
