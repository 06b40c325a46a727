<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Abuse;

use Closure;
use ReflectionMethod;

/**
 * Every place of every method that takes a value: each parameter, each member of a good array, and each option that the method
 * itself names when it is asked for one that it does not have. What is new in the classes is found without a word here.
 */
final class Places
{
    /** @var \stdClass ids of the shop */
    private static \stdClass $shop;

    /** @var array<string, mixed> good values by the name of their parameter */
    private array $good;

    public function __construct(\stdClass $shop)
    {
        self::$shop = $shop;
        $this->good = self::good($shop);
    }

    /**
     * The places: name => [names that a complaint may use, what makes the arguments from the odd value].
     *
     * @return array<string, array{0: list<string>, 1: Closure}>
     */
    public function of(ReflectionMethod $method): array
    {
        $places = [];
        $good = $this->arguments($method);
        foreach ($method->getParameters() as $index => $parameter) {
            $name = $parameter->getName();
            $places["\$$name"] = [[$name], static function ($value) use ($good, $index): array {
                return array_replace($good, [$index => $value]);
            }];
            $members = is_array($good[$index]) ? self::paths($good[$index]) : [];
            foreach ($this->options($method, $good, $index) as $option) {
                $members[] = [$option];
                foreach (is_array($this->good[$option] ?? null) ? self::paths($this->good[$option]) : [] as $path) {
                    $members[] = array_merge([$option], $path);
                }
            }
            foreach ($members as $path) {
                $names = array_merge([$name], array_filter($path, 'is_string'));
                $places["\$$name" . '[' . implode('][', $path) . ']'] = [$names, function ($value) use ($good, $index, $path): array {
                    $whole = $good[$index];
                    $first = $path[0];
                    if (is_array($whole) && !array_key_exists($first, $whole) && count($path) > 1) {
                        $whole[$first] = $this->good[$first];
                    }
                    return array_replace($good, [$index => self::put($whole, $path, $value)]);
                }];
            }
        }
        return $places;
    }

    /** @return list<mixed> good arguments for all parameters */
    public function arguments(ReflectionMethod $method): array
    {
        $arguments = [];
        foreach ($method->getParameters() as $parameter) {
            $name = $parameter->getName();
            $key = $method->getName() . '.' . $name;
            if (array_key_exists($key, $this->good)) {
                $arguments[] = $this->good[$key];
            } elseif (array_key_exists($name, $this->good)) {
                $arguments[] = $this->good[$name];
            } elseif ($parameter->isOptional() && $parameter->isDefaultValueAvailable()) {
                $arguments[] = $parameter->getDefaultValue();
            } else {
                $arguments[] = (string) $parameter->getType() === 'array' ? [] : 'x';
            }
        }
        return $arguments;
    }

    /** What a value does that comes back into the library in the midst of a call. */
    public static function again(): string
    {
        \RoutineTemplate::templateId('known');
        \RoutineTemplate::validate(self::$shop->orderPaid, self::$shop->order);
        \RoutineTemplate::configure(['lang' => 'zh_CN']);
        try {
            \RoutineTemplate::configure(['nonsense' => 1]);
        } catch (\RoutineTemplate\ConfigException $exception) {
            return 'x';
        }
        throw new \LogicException('a setting that does not exist was accepted');
    }

    /**
     * The names that the method says it knows, asked with one that it does not.
     *
     * @param list<mixed> $good
     * @return list<string>
     */
    private function options(ReflectionMethod $method, array $good, int $index): array
    {
        if (!is_array($good[$index])) {
            return [];
        }
        $good[$index] = ['nonsense' => 1];
        try {
            $method->invokeArgs(Cases::owner($method, self::$shop->appid), $good);
        } catch (\TypeError | \ValueError | \RoutineTemplate\Exception $exception) {
            if (preg_match('/nonsense.*?(?:可用的?|选项|设置|条件)[^：:]*[：:](.*)$/su', $exception->getMessage(), $told) !== 1) {
                return [];
            }
            // Remarks stand in brackets, and names of methods before theirs.
            preg_match_all('/(?<![a-z_])[a-z][a-z_]+(?![a-z_(])/', (string) preg_replace('/（.*?）/u', '', $told[1]), $names);
            return $names[0];
        }
        return [];
    }

    /** @return list<list<int|string>> the ways to all members of an array, at every level */
    private static function paths(array $array): array
    {
        $paths = [];
        foreach ($array as $key => $member) {
            $paths[] = [$key];
            foreach (is_array($member) ? self::paths($member) : [] as $path) {
                $paths[] = array_merge([$key], $path);
            }
        }
        return $paths;
    }

    /**
     * @param list<int|string> $path
     * @param mixed $value
     */
    private static function put(array $array, array $path, $value): array
    {
        $key = array_shift($path);
        $array[$key] = $path === [] ? $value : self::put($array[$key], $path, $value);
        return $array;
    }

    /** @return array<string, mixed> by the name of the parameter, or of the method and the parameter, or of an option */
    private static function good(\stdClass $shop): array
    {
        $id = $shop->orderPaid;
        $message = ['openid' => $shop->openid, 'template_id' => $id, 'data' => $shop->order, 'page' => 'pages/index', 'options' => ['lang' => 'zh_CN']];
        return [
            'appid' => $shop->appid, 'config' => ['lang' => 'zh_CN'], 'openid' => $shop->openid, 'openId' => $shop->openid,
            'templateId' => $id, 'data' => ['thing4' => ['value' => '苹果', 'color' => '#173177']] + $shop->order,
            'dataKey' => $shop->order, 'page' => 'pages/index?id=1', 'link' => 'pages/index?id=1', 'options' => [], 'timeoutMs' => 0,
            'messages' => [$message, [$shop->openid, $id, $shop->order, null, []]], 'key' => 'known',
            'registerTemplate.content' => $shop->content, 'tid' => 1927, 'keywordIds' => [1, 2], 'scene' => '订单支付成功',
            'categoryIds' => [307, 616], 'start' => 0, 'limit' => 30, 'refresh' => false,
            'wanted' => [
                'PAID' => ['tid' => 1927, 'keywords' => [1, 2], 'scene' => '订单支付成功', 'content' => $shop->content],
                ['mark' => 'order', 'routine_tempkey' => '1927', 'routine_kid' => '1,2', 'routine_content' => $shop->content,
                    'routine_tempid' => $id, 'name' => '订单', 'is_routine' => 1],
            ],
            'result' => ['errMsg' => 'requestSubscribeMessage:ok', $id => 'accept', 'subscribeDetails' => [$id => ['status' => 'accept']]],
            'cursor' => null, 'keys' => [$id, 'known'], 'query' => $shop->query, 'body' => '{}',
            'recordEvent.message' => ['ToUserName' => 'gh_1', 'FromUserName' => $shop->openid, 'CreateTime' => 1760000000,
                'MsgType' => 'event', 'Event' => 'subscribe_msg_popup_event',
                'List' => [['TemplateId' => $id, 'SubscribeStatusString' => 'accept', 'PopupScene' => '0']]],
            'message' => ['touser' => $shop->openid], 'id' => '00000000-0000-7000-8000-000000000000', 'filter' => [],
            'path' => 'subscribe/send', 'rid' => '5f8fb4a1-6b2a1c3f-0f0e5a6b', 'sendOneTime.scene' => 1000, 'title' => '到货',
            'content' => ['value' => '苹果到货了', 'color' => '#173177'],
            'miniprogram' => ['appid' => $shop->appid, 'pagepath' => 'pages/index'], 'templates' => [$id],
        ];
    }
}
