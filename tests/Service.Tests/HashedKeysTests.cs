using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Service.Tests;

/// <summary>Every table of this program whose keys hold addresses, found by reflection, so that a new one cannot be forgotten.</summary>
public sealed class HashedKeysTests
{
    private const int Keys = 20_000;
    private const int Longest = 20; // of random hashes: 8 or 9

    private const BindingFlags Own =
        BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly;

    private static readonly Type[] Tables = [typeof(Dictionary<,>), typeof(HashSet<>), typeof(ConcurrentDictionary<,>)];

    [Fact]
    public void Addresses_chosen_to_collide_do_not()
    {
        Type[] keys = [.. KeyTypes()];
        Assert.Contains(typeof(FlowTuple), keys);
        Assert.Contains(keys, static type => type.Name == "MapKey");
        Assert.Contains(keys, static type => type.Name == "FlowQuestion");
        Assert.Contains(keys, static type => type.Name == "SuspectKey");
        Assert.True(keys.Length >= 10, string.Join(", ", keys.Select(static type => type.Name)));
        Assert.All(keys, static type => Assert.InRange(LongestChain(type), 2, Longest));
    }

    [Fact]
    public void They_do_where_the_compiler_wrote_the_hash() => Assert.Equal(Keys, LongestChain(typeof(Unkeyed)));

    private readonly record struct Unkeyed(ulong High, ulong Low);

    private static IEnumerable<Type> KeyTypes() => new[] { typeof(FlowTuple), typeof(FlowPipeline), typeof(FlowLogSink), typeof(Program) }
        .SelectMany(static type => type.Assembly.GetTypes())
        .SelectMany(static type => type.GetFields(Own))
        .Select(static field => field.FieldType)
        .Where(static type => type.IsGenericType && Tables.Contains(type.GetGenericTypeDefinition()))
        .Select(static table => table.GetGenericArguments()[0])
        .Where(static key => !key.ContainsGenericParameters && Leaves(key).Any(static path => path[^1].DeclaringType == typeof(IpAddress)))
        .Distinct();

    /// <summary>All numbers of 64 bits in a value, each as the way of fields to it.</summary>
    private static IEnumerable<FieldInfo[]> Leaves(Type type)
    {
        if (!type.IsValueType || type.IsPrimitive || type.IsEnum)
            yield break;
        foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public))
        {
            if (field.FieldType == typeof(ulong))
                yield return [field];
            foreach (FieldInfo[] rest in Leaves(field.FieldType))
                yield return [field, .. rest];
        }
    }

    /// <summary>Each number is set to one whose halves cancel out: i in both, which the framework's hash of a number xors.</summary>
    private static int LongestChain(Type type)
    {
        FieldInfo[][] leaves = [.. Leaves(type)];
        return Enumerable.Range(1, Keys).Select(i => (uint)Key(type, leaves, (ulong)i << 32 | (uint)i).GetHashCode() % 20_011)
            .GroupBy(static bucket => bucket).Max(static chain => chain.Count());
    }

    private static object Key(Type type, FieldInfo[][] leaves, ulong number)
    {
        object key = RuntimeHelpers.GetUninitializedObject(type);
        foreach (FieldInfo[] leaf in leaves)
            Set(key, leaf, number);
        FieldInfo? path = type.GetFields(BindingFlags.Instance | BindingFlags.NonPublic)
            .FirstOrDefault(static field => field.FieldType == typeof(string));
        path?.SetValue(key, "wan");
        return key;
    }

    private static void Set(object target, ReadOnlySpan<FieldInfo> way, ulong number)
    {
        if (way.Length == 1)
        {
            way[0].SetValue(target, number);
            return;
        }

        object inner = way[0].GetValue(target)!;
        Set(inner, way[1..], number);
        way[0].SetValue(target, inner);
    }
}
