<?php

declare(strict_types=1);

// 知识付费 (ThinkPHP 5) as far as the adapter touches it: its settings, its tables, its log, and the class that the patch renames.

namespace {
    spl_autoload_register(static function (string $class): void {
        $places = ['RoutineTemplate\\Crmeb\\Zzff\\' => 'zzff', 'RoutineTemplate\\Crmeb\\' => 'common'];
        foreach ($places as $prefix => $folder) {
            $file = dirname(__DIR__, 3) . "/crmeb/$folder/" . substr($class, strlen($prefix)) . '.php';
            if (strncmp($class, $prefix, strlen($prefix)) === 0 && is_file($file)) {
                require $file;
                return;
            }
        }
    });
}

namespace think {
    final class Config
    {
        /** @var array<string, mixed> */
        public static $values = [];

        public static function get($name)
        {
            return self::$values[$name] ?? null;
        }
    }

    final class Log
    {
        /** @var list<string> */
        public static $errors = [];

        public static function error($text)
        {
            self::$errors[] = $text;
        }
    }

    final class Db
    {
        /** @var array<string, list<array<string, mixed>>> */
        public static $tables = [];

        public static function name($name)
        {
            return new db\Query(self::$tables[$name]);
        }
    }
}

namespace think\db {
    final class Query
    {
        /** @var list<array<string, mixed>> */
        private $rows;

        /** @param list<array<string, mixed>> $rows */
        public function __construct(array $rows)
        {
            $this->rows = $rows;
        }

        public function where($columns, $value)
        {
            $this->rows = array_values(array_filter($this->rows, static function (array $row) use ($columns, $value): bool {
                foreach (explode('|', $columns) as $column) {
                    if ((string) $row[$column] === (string) $value) {
                        return true;
                    }
                }
                return false;
            }));
            return $this;
        }

        public function field($columns)
        {
            $this->rows = array_map(static function (array $row) use ($columns): array {
                return array_intersect_key($row, array_flip(explode(',', $columns)));
            }, $this->rows);
            return $this;
        }

        public function find()
        {
            return $this->rows[0] ?? null;
        }

        public function column($column)
        {
            return array_column($this->rows, $column);
        }
    }
}

namespace service {
    final class SystemConfigService
    {
        /** @var array<string, mixed> */
        public static $values = [];

        public static function get($name)
        {
            return self::$values[$name] ?? false;
        }
    }

    /** The shop's own class under its new name; 1.2 has no getCategory(). */
    final class ShopRoutineTemplateService
    {
        public static function sendTemplate(...$arguments)
        {
            return ['shop' => $arguments];
        }

        public static function getTemplateListAll($offset = 0, $count = 20)
        {
            return ['shop' => [$offset, $count]];
        }
    }

    /** What the patch makes of it. */
    class RoutineTemplateService extends \RoutineTemplate\Crmeb\Zzff\RoutineTemplateService
    {
    }
}
