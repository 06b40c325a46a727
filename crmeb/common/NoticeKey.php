<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

/**
 * 通知的幂等键：同一订单的同一通知只发一次，无论支付回调来几次、是否同时到达。
 * The idempotency key of a notice: the same notice about the same order goes out once, however often and however concurrently
 * the payment is notified.
 *
 * 只用于一个订单里只会发生一次的通知。审核被拒、改价、退款等可以重复发生，内容完全相同也必须再发，因此没有键。
 * Only for notices that happen once in the life of an order. A refund that is refused twice gives the same words twice, and both
 * have to arrive, so such notices have no key.
 */
final class NoticeKey
{
    /** 每个订单只有一条，键为 标识:订单号，可用 deliveries(['key' => …]) 查询 / one an order; findable by mark:order number */
    private const ONE_AN_ORDER = ['order_pay_success', 'recharge_success'];

    /** 同一订单可能有几条（分单发货、多级佣金），内容不同才是另一条 / several an order, told apart by what they say */
    private const ONE_A_CONTENT = [
        'order_deliver_success', 'order_postage_success', 'order_take', 'integral_accout', 'order_brokerage',
        'order_user_groups_success', 'can_pink_success', 'open_pink_success',
    ];

    private function __construct()
    {
    }

    /**
     * @param array<string, mixed> $data
     *
     * @return string|null null：这条通知没有键 / this notice has none
     */
    public static function of(?string $mark, string $openid, string $templateId, array $data, ?string $link): ?string
    {
        $order = self::orderNumber($data, (string)$link);
        if ($mark === null || $order === null) {
            return null;
        }
        if (in_array($mark, self::ONE_AN_ORDER, true)) {
            return "$mark:$order";
        }
        if (in_array($mark, self::ONE_A_CONTENT, true)) {
            // Beside the time of sending: it differs from call to call.
            $words = array_filter($data, static function ($field): bool {
                return preg_match('/^(date|time)\d/', (string)$field) !== 1;
            }, ARRAY_FILTER_USE_KEY);
            $words = json_encode([$openid, $templateId, $link, $words], JSON_PARTIAL_OUTPUT_ON_ERROR);
            return "$mark:$order:" . substr(sha1((string)$words), 0, 16);
        }
        return null;
    }

    /** @param array<string, mixed> $data */
    private static function orderNumber(array $data, string $link): ?string
    {
        if (preg_match('/[?&]order_id=([\w-]{1,64})/', $link, $found) === 1) {
            return $found[1];
        }
        foreach ($data as $field => $value) {
            $value = is_array($value) ? ($value['value'] ?? $value[0] ?? null) : $value;
            if (strncmp((string)$field, 'character_string', 16) === 0 && is_scalar($value)
                && preg_match('/^[\w-]{1,64}$/D', (string)$value) === 1) {
                return (string)$value;
            }
        }
        return null;
    }
}
