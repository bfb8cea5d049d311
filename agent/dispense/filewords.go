package dispense

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// plainWords are words of exports that are no names of people, in lower case: of the
// trade, of tills, dispensing systems and ERPs, and of dates, in the languages of the
// systems that write exports. First names of today's patients are none of them, even
// where a word is meant: Mark, Bill, Rose.
var plainWords = wordSet(`export exports dispense dispensed dispensing dispensings dispensation dispensations sales sale receipts receipt stock
	stocks movements movement transactions transaction daily weekly monthly yearly hourly day days week weeks month months year years
	date time data dataset file files part parts report reports batch batches out outgoing incoming outbound inbound outbox inbox in new old
	archive archived copy backup full partial delta diff incremental change changes changed update updates total totals sum summary detail
	details detailed list lists item items line lines row rows record records table tables dump feed feeds sync interface import
	good bad test tests sample demo again after before from until to and of du de des del della van het for the by per with all any morning noon afternoon evening night strange
	start end open opened close closed closing final first last next current actual today yesterday live prod production staging
	pharmacy pharmacies drugstore chemist dispensary hospital clinic branch branches store stores shop shops outlet outlets site
	location locations warehouse depot counter desk terminal terminals register till tills cash cashdesk cashier station device scanner
	inventory invoice invoices order orders purchase purchases delivery deliveries shipment shipments goods product products
	article articles sku skus gtin ean upc ndc pzn lot lots expiry expired return returns refund refunds void voids waste wastage scrap
	adjustment adjustments transfer transfers count counts counted issue issues issued usage consumption turnover revenue ledger journal log
	logs history audit drug drugs medicine medicines medication medications med meds prescription prescriptions script scripts rx otc
	supply supplies supplier wholesale wholesaler retail pos pms pmp rds rde hl asap erp sap wms his emr odoo navision datev pyxis omnicell
	rowa dbf csv tsv txt xml dat edi utf ansi ascii iso json zip main central centre center north south east west left right upper lower
	id no nr num nummer number numbers code codes version rev seq trx txn tx ref kw cw wk qtr quarter fy utc gmt am pm
	monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun
	january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec
	montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag januar jänner februar märz maerz mai juni juli oktober dezember
	mrz okt dez
	abgabe abgaben abverkauf abverkäufe abverkaeufe kasse kassen kassenbuch kassenjournal verkauf verkaeufe verkäufe daten datei tag tage
	täglich taeglich woche wochen monat monate jahr jahre uhr zeit bericht berichte bon bons bondaten beleg belege artikel artikelstamm
	artikeldaten lager lagerbestand lagerbewegung lagerbewegungen bestand bestände bestaende bewegung bewegungen warenwirtschaft warenausgang
	warenausgänge wareneingang wareneingänge waren ware umsatz umsätze umsaetze umsatzliste tagesabschluss abschluss tagesumsatz tagesbericht
	monatsabschluss monatsbericht filiale filialen apotheke apotheken niederlassung standort markt zentrale haupt haupthaus nord süd sued ost
	mitte zentrum theke schalter station stationen rezept rezepte rezeptur rezepturen verordnung verordnungen rechnung rechnungen lieferschein
	lieferscheine lieferung lieferungen bestellung bestellungen retoure retouren storno stornos inventur inventuren korrektur korrekturen
	umbuchung umbuchungen buchung buchungen abbuchung ausgang ausgänge eingang eingänge ausbuchung verfall charge chargen schnittstelle
	auswertung statistik liste listen stand gesamt neu alt teil von bis und der die das für fuer kopie sicherung protokoll krankenhaus
	heimversorgung blister großhandel grosshandel klinik arznei arzneimittel medikament medikamente
	ventes vente caisse caisses ticket tickets pharmacie pharmacies officine magasin magasins délivrance délivrances delivrance delivrances
	dispensation ordonnance ordonnances mouvement mouvements inventaire inventaires journal jour jours mois année annee semaine quotidien
	commande commandes livraison livraisons facture factures retour retours sortie sorties entrée entrées entree entrees fichier données
	donnees rapport article lundi mardi mercredi jeudi vendredi samedi dimanche janvier février fevrier mars avril juin juillet août aout
	septembre octobre novembre décembre
	ventas venta caja cajas tienda tiendas farmacia farmacias dispensación dispensaciones dispensacion dispensaciones receta recetas
	movimiento movimientos inventario inventarios existencias almacén almacen pedido pedidos factura facturas devolución devoluciones
	devoluciones salida salidas entrada entradas archivo datos informe diario diaria mensual semanal día dia mes meses año semana
	sucursal lunes martes miércoles jueves viernes sábado domingo enero febrero marzo abril mayo junio julio agosto septiembre octubre
	noviembre diciembre
	vendite vendita cassa negozio farmacie ricetta ricette movimenti movimento inventario magazzino scontrino scontrini ordine ordini
	fattura fatture reso resi uscita uscite entrate giornaliero giorno mese anno settimana rapporto esportazione gennaio febbraio aprile
	maggio giugno luglio settembre ottobre novembre dicembre
	verkoop verkopen kassa kassas winkel winkels apotheek apotheken recept recepten uitgifte uitgiften voorraad voorraden mutatie mutaties
	magazijn bestelling bestellingen levering leveringen factuur facturen retour dag dagen maand maanden jaar week rapport bestand gegevens
	omzet filiaal filialen januari februari maart april mei augustus
	vendas venda loja lojas farmácia farmacias movimento movimentos estoque caixa caixas pedido dispensação relatório
	sprzedaż sprzedaz apteka apteki paragon paragony magazyn recepta recepty raport
	försäljning forsaljning apotek lager salg udlevering beholdning kassa butik uttag`)

// standalone tells whether a word of a file's name is one of the plain words, or two of
// them written together: dispenselog.
func standalone(word string) bool {
	if plainWords[word] {
		return true
	}
	const least = 3
	for i := range word {
		if i >= least && len(word)-i >= least && plainWords[word[:i]] && plainWords[word[i:]] && utf8.RuneCountInString(word) >= 2*least {
			return true
		}
	}
	return false
}

var (
	anyUUID = regexp.MustCompile(`(^|[^0-9A-Za-z])[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}([^0-9A-Za-z]|$)`)
	digits  = regexp.MustCompile(`\d+`)
	// stamp is a day of this century, with or without a time behind it down to the
	// millisecond; unixTime is one of the years 2020 to 2033, in seconds or
	// milliseconds.
	stamp    = regexp.MustCompile(`^20[0-4]\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(([01]\d|2[0-3])[0-5]\d([0-5]\d(\d{3})?)?)?$`)
	unixTime = regexp.MustCompile(`^1[6-9]\d{8}(\d{3})?$`)
	// counted is a short number filled up with zeros.
	counted = regexp.MustCompile(`^00\d{1,10}$`)
)

// withoutStamps takes out of a name what says nothing of a person but has as many digits
// as what does: days and times, numbers that are drawn, and short ones that are filled up.
func withoutStamps(name string) string {
	for anyUUID.MatchString(name) {
		name = anyUUID.ReplaceAllString(name, "$1-$3")
	}
	var b strings.Builder
	last := 0
	for _, at := range digits.FindAllStringIndex(name, -1) {
		run := name[at[0]:at[1]]
		alone := at[0] == 0 || !letterBefore(name[:at[0]])
		if !(stamp.MatchString(run) && (alone || len(run) != 9) || alone && (unixTime.MatchString(run) || counted.MatchString(run) && len(strings.TrimLeft(run, "0")) <= 8)) {
			continue
		}
		b.WriteString(name[last:at[0]])
		b.WriteByte('-')
		last = at[1]
	}
	return b.String() + name[last:]
}

func letterBefore(s string) bool {
	r, _ := utf8.DecodeLastRuneInString(s)
	return len(lettersOf(string(r))) > 0
}
