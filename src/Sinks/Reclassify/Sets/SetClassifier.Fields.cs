using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets;

public sealed partial class SetClassifier
{
    // Used by the thread that asks.
    private string?[] _types = []; // of the sets, when the fields were last worked out
    private QuestionFields _fields;

    /// <summary>What the types of the sets compare; a set that is not there yet compares nothing.</summary>
    public QuestionFields Fields
    {
        get
        {
            lock (_mirror.Gate)
            {
                bool isSame = _types.Length > 0;
                if (!isSame)
                    _types = new string?[_entries.Length];
                for (int i = 0; i < _entries.Length; i++)
                {
                    string? type = _entries[i].Source.Type;
                    isSame &= ReferenceEquals(type, _types[i]);
                    _types[i] = type;
                }

                if (!isSame)
                    _fields = _entries.Aggregate(
                        QuestionFields.None,
                        static (fields, entry) => fields
                            | FieldsOf(entry.Source.Type, entry.Rule.Directions)
                            | (entry.Rule.Scope?.Fields ?? QuestionFields.None));
                return _fields;
            }
        }
    }

    private static QuestionFields FieldsOf(string? type, SetDirections directions)
    {
        if (type is null)
            return QuestionFields.None;
        if (type == Ipsets.IpsetShape.List)
            return QuestionFields.All; // its members' types are not looked at
        QuestionFields fields = directions.SourceBits == 0 ? QuestionFields.None : QuestionFields.Source;
        if (type.Contains("port", StringComparison.Ordinal) || type.Contains("inet_", StringComparison.Ordinal))
            fields |= QuestionFields.Protocol | QuestionFields.DestinationPort
                | (directions.SourceBits == 0 ? QuestionFields.None : QuestionFields.SourcePort);
        return type.Contains("mark", StringComparison.Ordinal) ? fields | QuestionFields.Mark : fields;
    }
}
