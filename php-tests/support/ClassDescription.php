<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** What Reflection says about classes, as plain data that two processes can compare. */
final class ClassDescription
{
    /**
     * @param list<class-string> $classes
     * @return array<string, array<string, mixed>>
     */
    public static function of(array $classes): array
    {
        sort($classes);
        return array_combine($classes, array_map([self::class, 'ofClass'], $classes));
    }

    private static function ofClass(string $name): array
    {
        $class = new \ReflectionClass($name);
        $own = static fn ($member): bool
            => $member->getDeclaringClass()->getName() === $name;
        $description = [
            'parent' => $class->getParentClass() === false ? null : $class->getParentClass()->getName(),
            'final' => $class->isFinal(),
            'abstract' => $class->isAbstract(),
            'interface' => $class->isInterface(),
            'constants' => [],
            'properties' => [],
            'methods' => [],
        ];
        foreach (array_filter($class->getReflectionConstants(), $own) as $constant) {
            $description['constants'][$constant->getName()] = [
                \Reflection::getModifierNames($constant->getModifiers()), $constant->getValue(),
            ];
        }
        foreach (array_filter($class->getProperties(), $own) as $property) {
            $description['properties'][$property->getName()] = [
                \Reflection::getModifierNames($property->getModifiers()), (string) $property->getType(),
                $class->getDefaultProperties()[$property->getName()] ?? null,
            ];
        }
        foreach (array_filter($class->getMethods(), $own) as $method) {
            $description['methods'][$method->getName()] = [
                'modifiers' => \Reflection::getModifierNames($method->getModifiers()),
                'returns' => (string) $method->getReturnType(),
                'parameters' => array_map([self::class, 'ofParameter'], $method->getParameters()),
            ];
        }
        foreach (['constants', 'properties', 'methods'] as $kind) {
            ksort($description[$kind]);
        }
        return $description;
    }

    private static function ofParameter(\ReflectionParameter $parameter): array
    {
        return [
            'name' => $parameter->getName(),
            'type' => (string) $parameter->getType(),
            'optional' => $parameter->isOptional(),
            'default' => $parameter->isDefaultValueAvailable() ? var_export($parameter->getDefaultValue(), true) : null,
            'variadic' => $parameter->isVariadic(),
            'by reference' => $parameter->isPassedByReference(),
        ];
    }
}
