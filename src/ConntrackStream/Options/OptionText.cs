using System.Collections;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Net;

namespace ConntrackStream.Service.Options;

/// <summary>Texts of configuration values, both ways, for every type that an option may have.</summary>
internal static class OptionText
{
    /// <summary>Sizes are whole numbers whose key ends in <c>Bytes</c>.</summary>
    internal static bool IsSize(string name) => name.EndsWith("Bytes", StringComparison.Ordinal);

    internal static bool TryParse(Type type, string name, string text, out object? value)
    {
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        value = bare switch
        {
            _ when bare == typeof(string) => text,
            _ when bare == typeof(bool) => bool.TryParse(text, out bool flag) ? flag : null,
            _ when bare == typeof(TimeSpan) => DurationText.TryParse(text, out TimeSpan duration) ? duration : null,
            _ when bare == typeof(double) => double.TryParse(
                text,
                NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out double number) ? number : null,
            _ when bare == typeof(IPNetwork) => IPNetwork.TryParse(text, out IPNetwork network) ? network : null,
            _ when bare.IsEnum => ParseEnum(bare, text),
            _ => ParseWhole(bare, IsSize(name), text),
        };
        return value is not null;
    }

    /// <summary>What is allowed, to end the sentence "is not …".</summary>
    /// <param name="range">Of a number; null: that of its type.</param>
    internal static string Describe(Type type, string name, RangeAttribute? range = null)
    {
        Type bare = Nullable.GetUnderlyingType(type) ?? type;
        return bare switch
        {
            _ when bare == typeof(string) => "a text",
            _ when bare == typeof(bool) => "true or false",
            _ when bare == typeof(TimeSpan) => "a duration (00:02:30, 150s, 5m, 2h)",
            _ when bare == typeof(double) => "a number (0.5)",
            _ when bare == typeof(IPNetwork) => "a prefix (192.0.2.0/24)",
            _ when bare.IsEnum => $"one of {string.Join(", ", Names(bare))}",
            _ when IsSize(name) => "a size (1048576, 64MiB)",
            _ when range is not null => string.Create(
                CultureInfo.InvariantCulture, $"a whole number from {range.Minimum} to {range.Maximum}"),
            _ => Type.GetTypeCode(bare) switch
            {
                TypeCode.Byte => $"a whole number from 0 to {byte.MaxValue}",
                TypeCode.UInt16 => $"a whole number from 0 to {ushort.MaxValue}",
                TypeCode.UInt32 => $"a whole number from 0 to {uint.MaxValue}",
                _ => "a whole number",
            },
        };
    }

    /// <summary>The text that <see cref="TryParse"/> reads back; lists joined by commas.</summary>
    internal static string Format(object? value) => value switch
    {
        null => "",
        string text => text,
        bool flag => flag ? "true" : "false",
        TimeSpan duration => duration.ToString("c", CultureInfo.InvariantCulture),
        Enum name => EnumText(name.ToString()),
        IEnumerable list => string.Join(',', list.Cast<object>().Select(Format)),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    /// <summary>Each of an enumeration as it is configured; a level of the log also as the log prints it.</summary>
    internal static IEnumerable<string> Names(Type type) => type == typeof(LogLevel)
        ? Enum.GetValues<LogLevel>().SelectMany(static level => level == LogLevel.None
            ? [EnumText($"{level}")]
            : new[] { EnumText($"{level}"), LogLevelNames.Of(level) }.Distinct(StringComparer.Ordinal))
        : Enum.GetNames(type).Select(EnumText);

    private static string EnumText(string name) => string.Concat(name.Select((letter, at) =>
        char.IsUpper(letter) && at > 0 ? $"-{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));

    // Enum.TryParse would take numbers and comma-joined names too.
    private static object? ParseEnum(Type type, string text)
    {
        string bare = text.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);
        string? name = Array.Find(Enum.GetNames(type), name => name.Equals(bare, StringComparison.OrdinalIgnoreCase));
        return name is not null ? Enum.Parse(type, name) : type == typeof(LogLevel) ? LevelAsPrinted(text) : null;
    }

    private static object? LevelAsPrinted(string text)
    {
        int level = Array.FindIndex(
            Enum.GetValues<LogLevel>(), level => LogLevelNames.Of(level).Equals(text, StringComparison.OrdinalIgnoreCase));
        return level < 0 ? null : (LogLevel)level;
    }

    private static object? ParseWhole(Type type, bool isSize, string text)
    {
        if (!(isSize ? SizeText.TryParse(text, out long number)
            : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)))
            return null;
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Int64 => number,
            TypeCode.Int32 when number is >= int.MinValue and <= int.MaxValue => (int)number,
            TypeCode.UInt32 when number is >= 0 and <= uint.MaxValue => (uint)number,
            TypeCode.UInt16 when number is >= 0 and <= ushort.MaxValue => (ushort)number,
            TypeCode.Byte when number is >= 0 and <= byte.MaxValue => (byte)number,
            _ => null,
        };
    }
}
