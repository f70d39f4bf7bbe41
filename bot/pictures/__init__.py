"""Pictures for clinicians and for the documents. Nothing here is loaded unless a picture is asked for."""
