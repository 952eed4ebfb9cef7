using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Tests;

/// <summary>
/// Every [LoggerMessage] of an assembly as a reader of the log sees it, each parameter with a value of its own, to be compared with the
/// embedded LogMessages.txt of the test project.
/// </summary>
internal static class LogMessages
{
    private const BindingFlags AnyStatic = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>
    /// Fails for a message without an expectation, one that reads otherwise, an expectation without a message, what no reader
    /// understands, and what does not begin as a sentence. Expectations are in the order of ids.
    /// </summary>
    internal static void AssertAsExpected(Assembly product, Assembly tests)
    {
        List<string> rendered = [.. Methods(product).Select(Render).Order(StringComparer.Ordinal)];
        List<string> expected = [.. Expectations(tests)];
        string[] unexpected = [.. rendered.Except(expected, StringComparer.Ordinal)],
            missing = [.. expected.Except(rendered, StringComparer.Ordinal)];
        if (unexpected.Length + missing.Length > 0)
            Assert.Fail(
                $"not in LogMessages.txt:\n{string.Join('\n', unexpected)}\nonly in LogMessages.txt:\n{string.Join('\n', missing)}");
        Assert.Equal(rendered, expected); // the order, too
        Assert.All(rendered, static line => Assert.True(BeginsAsSentence(line), line));
        // ids are unique
        Assert.Equal(rendered.Count, rendered.Select(static line => line.Split(' ')[0]).Distinct(StringComparer.Ordinal).Count());
    }

    /// <summary>With a capital letter or a number; a text from outside is preceded by what it is.</summary>
    internal static bool BeginsAsSentence(string line) =>
        line.Split(' ', 3)[2] is [char first, ..] && (char.IsAsciiLetterUpper(first) || char.IsAsciiDigit(first));

    /// <summary>A value of this type prints as its members or its type's name, or not at all.</summary>
    internal static bool IsReadable(ParameterInfo parameter)
    {
        Type type = parameter.ParameterType;
        bool isText = type == typeof(string) && new NullabilityInfoContext().Create(parameter).ReadState != NullabilityState.Nullable;
        return isText || type.IsPrimitive || type.IsEnum || type == typeof(TimeSpan) || typeof(Exception).IsAssignableFrom(type);
    }

    private static IEnumerable<MethodInfo> Methods(Assembly product) =>
        product.GetTypes().SelectMany(static type => type.GetMethods(AnyStatic))
            .Where(static method => method.IsDefined(typeof(LoggerMessageAttribute), inherit: false));

    private static string Render(MethodInfo method)
    {
        LineLogger logger = new();
        object?[] arguments =
        [
            .. method.GetParameters()
                .Select(parameter => typeof(ILogger).IsAssignableFrom(parameter.ParameterType) ? logger : Sample(parameter)),
        ];
        method.Invoke(obj: null, arguments);
        return Assert.Single(logger.Lines);
    }

    private static object Sample(ParameterInfo parameter)
    {
        if (!IsReadable(parameter))
            Assert.Fail(
                $"{parameter.Member.Name}: '{parameter.Name}' ({parameter.ParameterType}) may print as (null) or as its "
                + "members; hand on a text");
        Type type = parameter.ParameterType;
        int number = (parameter.Position * 11) + 1;
        if (type == typeof(string))
            return $"<{parameter.Name}>";
        if (type == typeof(TimeSpan))
            return TimeSpan.FromSeconds(number);
        if (typeof(Exception).IsAssignableFrom(type))
            return new IOException("<exception>");
        return type.IsEnum ? Enum.GetValues(type).GetValue(1)! : Convert.ChangeType(number, type, CultureInfo.InvariantCulture);
    }

    private static IEnumerable<string> Expectations(Assembly tests)
    {
        using StreamReader reader = new(
            tests.GetManifestResourceStream("LogMessages.txt") ?? throw new InvalidOperationException("no LogMessages.txt is embedded"));
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private sealed class LineLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add($"{eventId.Id} {logLevel} {formatter(state, exception)}");
    }
}
