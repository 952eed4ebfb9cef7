using System.ComponentModel.DataAnnotations;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>What every log of lines has in its section: which records there are, and how they are written.</summary>
public abstract class RecordOptions : RecordChoiceOptions
{
    /// <summary>json (one object a line), ecs (one object a line, in the Elastic Common Schema) or text (as conntrack -E).</summary>
    public FlowLogFormat Format { get; set; } = FlowLogFormat.Json;

    /// <summary>
    /// Fields of a record, by their names in the format; a name also stands for the fields below it (source.nat). Empty: all. Not for text.
    /// </summary>
    public string[] Fields { get; set; } = [];

    /// <inheritdoc/>
    public override IEnumerable<ValidationResult> Validate(ValidationContext validationContext) =>
        base.Validate(validationContext)
            .Concat(FieldProblems(Fields, nameof(Fields), isUnwanted: false))
            .Concat(FieldProblems(ExcludeFields, nameof(ExcludeFields), isUnwanted: true));

    /// <param name="networkNamespace">Name for the records; null when it is the service's own.</param>
    /// <param name="ends">Ends that this service causes; null for none.</param>
    internal IRecordWriter CreateWriter(string? networkNamespace, CausedEnds? ends)
    {
        string host = Host ?? Environment.MachineName;
        return Format switch
        {
            FlowLogFormat.Text => new FlowTextWriter(new ConntrackTextOptions { Timestamp = true, Id = true }),
            FlowLogFormat.Ecs => new EcsRecordWriter(host, networkNamespace, Directions(), CommunityId, ends, ChosenFields()),
            _ => new FlowRecordWriter(host, networkNamespace, Directions(), CommunityId, ends, ChosenFields()),
        };
    }

    private RecordFields ChosenFields() => Vocabulary(Format)!.Choose(Fields, ExcludeFields);

    private static FieldVocabulary? Vocabulary(FlowLogFormat format) => format switch
    {
        FlowLogFormat.Json => JsonFields.Vocabulary,
        FlowLogFormat.Ecs => EcsFields.Vocabulary,
        _ => null,
    };

    private IEnumerable<ValidationResult> FieldProblems(string[] names, string key, bool isUnwanted)
    {
        if (Vocabulary(Format) is { } vocabulary)
            return FieldProblems(vocabulary, names, key, isUnwanted);
        return names.Length == 0 ? [] : [new ValidationResult("needs the format json or ecs: text has conntrack's own fields", [key])];
    }
}

/// <summary>How records are written.</summary>
public enum FlowLogFormat
{
    /// <summary>NDJSON.</summary>
    Json,

    /// <summary>The lines of <c>conntrack -E</c>.</summary>
    Text,

    /// <summary>NDJSON in the Elastic Common Schema.</summary>
    Ecs,
}
