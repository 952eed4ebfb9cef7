using System.Reflection;
using ConntrackStream.Kafka;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Tests;
using ConntrackStream.Service.Tests.Options;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>docs/kafka.md has each key of the plug-in, in the words of its property's summary, and no other.</summary>
public sealed class KafkaDocumentTests
{
    [Fact]
    public void The_document_has_each_key_and_its_meaning()
    {
        string[][] rows =
        [
            .. File.ReadLines(Repository.PathOf("docs", "kafka.md")).SkipWhile(static line => line != "## Keys")
                .TakeWhile(static line => line != "## Metrics").Where(static line => line.StartsWith("| `", StringComparison.Ordinal))
                .Select(static line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries)),
        ];
        Assert.Equal(
            Keys(typeof(KafkaOptions), ""),
            rows.Select(static row => (row[0].Trim('`'), row[3].Replace("`", "", StringComparison.Ordinal))));
    }

    private static IEnumerable<(string Key, string Meaning)> Keys(Type section, string prefix)
    {
        foreach (PropertyInfo property in section.GetProperties().Where(static property => property.CanWrite))
        {
            if (!property.PropertyType.IsAssignableTo(typeof(IOptionSection)))
                yield return (prefix + property.Name, OptionSummary.Of(property)!);
            foreach ((string Key, string Meaning) below in property.PropertyType.IsAssignableTo(typeof(IOptionSection))
                ? Keys(property.PropertyType, $"{prefix}{property.Name}:")
                : [])
                yield return below;
        }
    }
}
