<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use EasyWeChat\Core\Exceptions\HttpException;

/**
 * 微信拒绝（或一定会拒绝）的消息：与商城原来抛出的 HttpException 相同，getCode() 为 errcode，信息以微信的 errmsg 开头。
 * A message that WeChat refused, or certainly would: the HttpException that the shop's own code threw. getCode() is the errcode,
 * the message begins with WeChat's errmsg and goes on with what to do.
 */
final class Refusal extends HttpException
{
    /** @var array<string, mixed> */
    private $answer;

    /** @param array<string, mixed> $answer send() 的结果 / what send() answered */
    public function __construct(array $answer)
    {
        $hint = (string)($answer['hint'] ?? '');
        parent::__construct($answer['errmsg'] . ($hint === '' ? '' : ' （' . $hint . '）'), (int)$answer['errcode']);
        $this->answer = $answer;
    }

    /**
     * send() 的完整结果。
     * The whole answer of send().
     *
     * @return array<string, mixed>
     */
    public function answer(): array
    {
        return $this->answer;
    }
}
