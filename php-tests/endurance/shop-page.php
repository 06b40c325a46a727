// What a shop's requests do, see Traffic: `do` says what, the rest with what.
$asked = json_decode((string) file_get_contents('php://input'), true);

$fields = static fn (string $name): array => ['character_string1' => $name] + $shop->order;
$verdict = static function (array $answer): string {
    if ($answer['errcode'] === 0) {
        return 'delivered';
    }
    $exception = $answer['exception'] ?? null;
    if ($exception !== null && !$exception instanceof RoutineTemplate\TransportException) {
        throw $exception;
    }
    return $exception !== null && $exception->isAmbiguous() ? 'unknown' : 'not_delivered';
};

// A store that does not answer in time stops no send(), which then may leave no row: who compares must know.
$storeFailures = static function (): int {
    $stats = RoutineTemplate::stats();
    return $stats['store_failures'] + $stats['store_skipped'];
};
$before = $storeFailures();

try {
    switch ($asked['do']) {
        case 'queue':
            $answer = [];
            foreach ($asked['messages'] as [$openid, $template, $name, $options]) {
                $answer[$name] = RoutineTemplate::queue($openid, $template, $fields($name), null, ['key' => $name] + $options);
            }
            break;
        case 'send':
            [$openid, $template, $name] = $asked['messages'][0];
            try {
                $answer = [$name => $verdict(RoutineTemplate::send($openid, $template, $fields($name), null, ['key' => $name]))];
            } catch (RoutineTemplate\TransportException $exception) {
                $answer = [$name => $exception->isAmbiguous() ? 'unknown' : 'not_delivered'];
            }
            break;
        case 'sendMany':
            $messages = (static function () use ($asked, $fields) {
                foreach ($asked['messages'] as [$openid, $template, $name]) {
                    yield [$openid, $template, $fields($name), null, ['key' => $name]];
                }
            })();
            $answer = array_combine(array_column($asked['messages'], 2), array_map($verdict, RoutineTemplate::sendMany($messages)));
            break;
        case 'recordGrants':
            $answer = RoutineTemplate::recordGrants($asked['openid'], $asked['result'], ['key' => $asked['key']]);
            break;
        case 'status':
            $answer = RoutineTemplate::status($asked['id'])['state'] ?? null;
            break;
        case 'deliveries':
            $answer = count(RoutineTemplate::deliveries(['openid' => $asked['openid'], 'limit' => 20]));
            break;
        case 'grants':
            $answer = [RoutineTemplate::grants($asked['openid']), count(RoutineTemplate::audience($asked['template'], null, 50)['users'])];
            break;
        case 'accessToken':
            try {
                $answer = RoutineTemplate::accessToken();
            } catch (RoutineTemplate\Exception $exception) {
                // WeChat has no token to give just now.
                $answer = null;
            }
            break;
        case 'stats':
            $answer = RoutineTemplate::stats();
            break;
    }
} catch (RoutineTemplate\StoreException $exception) {
    http_response_code(503);
    exit($exception->getMessage());
}
echo json_encode(['answer' => $answer, 'recorded' => $storeFailures() === $before], JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
