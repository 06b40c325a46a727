<?php

declare(strict_types=1);

/** A bulk goes to as many users as it has messages. */
final class Bulk
{
    /** @return Generator<string> */
    public static function openids(int $count): Generator
    {
        for ($i = 0; $i < $count; $i++) {
            yield 'oBulk' . getmypid() . "n$i";
        }
    }
}
